/* Packages: their kinds by name, that they are the same bytes each time, and what Python reads of them. */
#include "config.h"

#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "dsl/target.h"
#include "tests/tap.h"

static void
check_names(void)
{
	static const struct {
		const char *name;
		int want;
	} names[] = {
		{ "a.yaml", PACKAGE_YAML }, { "a.yml", PACKAGE_YAML }, { "x/a.json", PACKAGE_JSON }, { "a.b.tar.gz", PACKAGE_TAR_GZ },
		{ "a.tgz", PACKAGE_TAR_GZ }, { "a.zip", PACKAGE_ZIP }, { "a.gz", -1 }, { "a.YAML", -1 }, { "yaml", -1 },
		{ ".yaml", -1 }, { "a.yaml.txt", -1 }, { "", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		enum package package = PACKAGE_YAML;
		int rc = package_from_name(names[i].name, &package);

		is_int(rc ? -1 : (int)package, names[i].want, "the package of `%s`", names[i].name);
	}
}

static const struct value *
object(struct arena *arena, size_t size)
{
	CLEANUP(freep) char *text = xmalloc(size + 1);
	const char *keys[] = { "kind", "text", "n" };
	const struct value *items[3] = { value_string(arena, "Workflow"), NULL, value_integer(arena, 5) };

	memset(text, 'x', size);
	text[size] = '\0';
	items[1] = value_string(arena, text);
	return value_dict(arena, keys, items, 3);
}

static bool
write_file(const char *path, const struct buf *bytes)
{
	FILE *file = fopen(path, "wb");
	bool good = file && fwrite(bytes->data, 1, bytes->len, file) == bytes->len;

	if (file && fclose(file))
		good = false;
	return good;
}

static const char reader[] =
	"import sys, tarfile, zipfile\n"
	"path, want, at = sys.argv[1], open(sys.argv[2], 'rb').read(), None\n"
	"if path.endswith('.zip'):\n"
	"    z = zipfile.ZipFile(path)\n"
	"    assert z.testzip() is None\n"
	"    (m,) = z.infolist()\n"
	"    assert (m.filename, m.date_time, m.external_attr >> 16) == ('pipeline.yaml', (1980, 1, 1, 0, 0, 0), 0o100644), m\n"
	"    got = z.read(m)\n"
	"else:\n"
	"    t = tarfile.open(path)\n"
	"    (m,) = t.getmembers()\n"
	"    assert (m.name, m.mode, m.uid, m.gid, m.mtime) == ('pipeline.yaml', 0o644, 0, 0, 0), m.get_info()\n"
	"    assert m.isreg()\n"
	"    got = t.extractfile(m).read()\n"
	"assert got == want, (len(got), len(want))\n";

/* Exit status of python3 reading the archive; -1 when there is no python3. */
static int
read_back(const char *archive, const char *yaml)
{
	const char *args[] = { "python3", "-c", reader, archive, yaml, NULL };
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, "python3", NULL, NULL, (char *const *)(uintptr_t)args, environ))
		return -1;
	if (waitpid(pid, &status, 0) < 0)
		return -2;
	/* What a spawned child says when there is no such program. */
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -1 : status;
}

static void
check_archive(const char *folder, enum package package, const char *end, size_t size)
{
	struct arena *arena = arena_new();
	const struct value *value = object(arena, size);
	CLEANUP(buf_release) struct buf bytes = { 0 }, again = { 0 }, yaml = { 0 }, path = { 0 }, yaml_path = { 0 };
	struct error err;
	int rc;

	buf_puts(&again, "before");
	is_int(package_write(&bytes, value, package, &err), 0, "%s of %zu bytes is written", end, size);
	is_int(package_write(&again, value, package, &err), 0, "and again");
	is_mem(again.data + 6, again.len - 6, bytes.data, bytes.len, "to the same bytes, behind what was there");
	is_int(package_write(&yaml, value, PACKAGE_YAML, &err), 0, "as YAML");
	buf_printf(&path, "%s/p%s", folder, end);
	buf_printf(&yaml_path, "%s/p.yaml", folder);
	ok(write_file(path.data, &bytes) && write_file(yaml_path.data, &yaml), "both are written to files");
	rc = read_back(path.data, yaml_path.data);
	if (rc == -1)
		skip(1, "there is no python3 to read the archive");
	else
		is_int(rc, 0, "Python reads %s of %zu bytes", end, size);
	arena_free(arena);
}

static void
check_plain(void)
{
	struct arena *arena = arena_new();
	CLEANUP(buf_release) struct buf json = { 0 }, small = { .max = 16 };
	struct error err;

	is_int(package_write(&json, object(arena, 2), PACKAGE_JSON, &err), 0, "JSON is written");
	is_str(buf_text(&json), "{\n  \"kind\": \"Workflow\",\n  \"text\": \"xx\",\n  \"n\": 5\n}\n", "JSON");
	is_int(package_write(&small, object(arena, 100), PACKAGE_ZIP, &err), -1, "no room for a package");
	is_str(err.text, "the package is too large", "and it says so");
	arena_free(arena);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	/* Around a tar block, and past one record. */
	static const size_t sizes[] = { 0, 1, 470, 480, 490, 500, 100000 };

	check_names();
	check_plain();
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		check_archive(folder, PACKAGE_TAR_GZ, ".tar.gz", sizes[i]);
		check_archive(folder, PACKAGE_ZIP, ".zip", sizes[i]);
	}
	test_remove_tree(folder);
	return done_testing();
}

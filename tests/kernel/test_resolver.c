/* What `use` names: paths, the library, and URLs from a server that misbehaves (tests/kernel/tls_server.py). */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256.h"
#include "kernel/resolver.h"
#include "tests/tap.h"

static const char small[] = "implementation: {container: {image: x}}\n";
static const char other[] = "implementation: {container: {image: y}}\n";

static char *
path_in(const char *folder, const char *name)
{
	struct buf path = { 0 };

	buf_printf(&path, "%s/%s", folder, name);
	return buf_detach(&path, NULL);
}

static void
put_file(const char *folder, const char *name, const char *text, size_t len)
{
	CLEANUP(freep) char *path = path_in(folder, name);
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(text, 1, len, file) != len || fclose(file))
		BUG("cannot write %s", path);
}

/* The text, or the error with the folder's name as FOLDER and the server as SERVER. */
static void
load(struct buf *ret, struct resolver *resolver, const char *location, const char *from_name, const char *sha256)
{
	struct source *from = from_name ? source_new(from_name, "", 0) : NULL;
	char *name = NULL;
	struct error err = { "" };

	if (resolver->load(resolver, location, from, sha256, ret, &name, &err)) {
		buf_clear(ret);
		buf_puts(ret, err.text);
	}
	free(name);
	source_unref(from);
}

static void
loads(struct resolver *resolver, const char *location, const char *from_name, const char *sha256, const char *want,
      const char *what)
{
	CLEANUP(buf_release) struct buf got = { 0 };

	load(&got, resolver, location, from_name, sha256);
	is_str(buf_text(&got), want, "%s", what);
}

static void
says(struct resolver *resolver, const char *location, const char *from_name, const char *sha256, const char *want,
     const char *what)
{
	CLEANUP(buf_release) struct buf got = { 0 };

	load(&got, resolver, location, from_name, sha256);
	contains(buf_text(&got), want, "%s", what);
}

static const char wrong[] = "0123456789012345678901234567890123456789012345678901234567890123";

/* ---- paths ---- */

static void
check_digests(struct resolver *resolver, const char *folder)
{
	CLEANUP(freep) char *crlf = path_in(folder, "crlf.yaml"), *plain = path_in(folder, "small.yaml");
	char bytes[SHA256_HEX], text[SHA256_HEX];

	put_file(folder, "crlf.yaml", "a: 1\r\nb: 2\r\n", 12);
	sha256_hex("a: 1\r\nb: 2\r\n", 12, bytes);
	sha256_hex("a: 1\nb: 2\n", 10, text);
	loads(resolver, crlf, NULL, bytes, "a: 1\r\nb: 2\r\n", "by the digest of the bytes");
	loads(resolver, crlf, NULL, text, "a: 1\r\nb: 2\r\n", "by the digest that Kubeflow counts");
	says(resolver, plain, NULL, wrong, "is not the text that is wanted: its sha256 is ", "another digest");
	says(resolver, plain, NULL, "abc", "a sha256 is 64 digits", "no digest");
}

static void
check_paths(struct resolver *resolver, const char *folder)
{
	CLEANUP(freep) char *program = path_in(folder, "sub/x.lateen"), *plain = path_in(folder, "small.yaml");
	CLEANUP(freep) char *fifo = path_in(folder, "fifo"), *sub = path_in(folder, "sub"), *big = path_in(folder, "big.yaml");
	CLEANUP(freep) char *here = getcwd(NULL, 0);

	mkdir(sub, 0700);
	put_file(folder, "small.yaml", small, sizeof small - 1);
	put_file(sub, "near.yaml", other, sizeof other - 1);
	loads(resolver, plain, "In[3]", NULL, small, "an absolute path");
	loads(resolver, "near.yaml", program, NULL, other, "a path beside the program");
	loads(resolver, "../small.yaml", program, NULL, small, "a path above the program");
	if (!here || chdir(folder))
		BUG("cannot go to %s", folder);
	loads(resolver, "sub/near.yaml", "In[3]", NULL, other, "a path in a cell is relative to the working folder");
	loads(resolver, "sub/near.yaml", "-", NULL, other, "so it is on standard input");
	loads(resolver, "near.yaml", "sub/x.lateen", NULL, other, "and a program may itself be named relatively");
	if (chdir(here))
		BUG("cannot go back to %s", here);
	says(resolver, "missing.yaml", program, NULL, "No such file or directory", "a missing file");
	says(resolver, "", NULL, NULL, "an empty text names no file", "no name");
	says(resolver, sub, NULL, NULL, "it is a folder", "a folder");
	says(resolver, "/dev/zero", NULL, NULL, "it is not a plain file", "a device");
	if (mkfifo(fifo, 0600))
		BUG("cannot make %s", fifo);
	says(resolver, fifo, NULL, NULL, "it is not a plain file", "a pipe, which nobody would ever write");
	put_file(folder, "big.yaml", "x", 1);
	if (truncate(big, SOURCE_MAX + 1))
		BUG("cannot grow %s", big);
	says(resolver, big, NULL, NULL, "it is larger than 8 MiB", "a large file");
	put_file(folder, "nul.yaml", "a\0b", 3);
	says(resolver, "../nul.yaml", program, NULL, "it holds a NUL byte", "a file with a NUL byte");
	check_digests(resolver, folder);
}

static void
check_refused_urls(struct resolver *resolver)
{
	says(resolver, "http://example.org/x.yaml", NULL, NULL, "only https is spoken", "http");
	says(resolver, "file:///etc/passwd", NULL, NULL, "only https is spoken", "a file as URL");
	says(resolver, "gs://bucket/x", NULL, NULL, "only https is spoken", "another scheme");
	says(resolver, "https://user:word@example.org/x", NULL, NULL, "must not hold a user name or password", "a password");
	says(resolver, "https:///x", NULL, NULL, "has no host", "no host");
	says(resolver, "https://example.org/a b", NULL, NULL, "belongs in no URL", "a blank");
	says(resolver, "https://example.org/a\nb", NULL, NULL, "belongs in no URL", "a newline");
}

static void
check_std(struct resolver *resolver)
{
	CLEANUP(buf_release) struct buf got = { 0 };
	char *name = NULL;
	struct error err;

	is_int(resolver->load(resolver, "std:", NULL, NULL, &got, &name, &err), 0, "the standard library is there");
	is_str(name, "std.lateen", "under its name");
	contains(buf_text(&got), "std.", "with its text");
	free(name);
}

/* ---- URLs ---- */

struct server {
	pid_t pid;
	int in; /* closing it ends the server */
	char root[64]; /* "https://127.0.0.1:PORT" */
};

/* Waits for the port; false when python3 or openssl are not there. */
static bool
start_server(struct server *server, const char *folder)
{
	CLEANUP(freep) char *script = test_path("tests/kernel/tls_server.py");
	int in[2], out[2];
	char line[32] = "";
	FILE *reply;

	if (pipe(in) || pipe(out))
		BUG("no pipes");
	server->pid = fork();
	if (!server->pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execlp("python3", "python3", script, folder, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	server->in = in[1];
	reply = fdopen(out[0], "r");
	if (!reply || !fgets(line, sizeof line, reply))
		line[0] = '\0';
	if (reply)
		fclose(reply);
	snprintf(server->root, sizeof server->root, "https://127.0.0.1:%ld", strtol(line, NULL, 10));
	return *line != '\0';
}

static void
stop_server(struct server *server)
{
	close(server->in);
	waitpid(server->pid, NULL, 0);
}

struct urls {
	struct server *server;
	struct resolver *resolver;
	const char *folder;
};

static char *
url_of(const struct urls *u, const char *path)
{
	struct buf url = { 0 };

	buf_printf(&url, "%s%s", u->server->root, path);
	return buf_detach(&url, NULL);
}

static void
url_loads(const struct urls *u, const char *path, const char *sha256, const char *want, const char *what)
{
	CLEANUP(freep) char *url = url_of(u, path);

	loads(u->resolver, url, NULL, sha256, want, what);
}

static void
url_says(const struct urls *u, const char *path, const char *sha256, const char *want, const char *what)
{
	CLEANUP(freep) char *url = url_of(u, path);

	says(u->resolver, url, NULL, sha256, want, what);
}

static void
check_online(const struct urls *u)
{
	CLEANUP(freep) char *program = url_of(u, "/moved/x.lateen?a=/b");
	char digest[SHA256_HEX];

	put_file(u->folder, "small.yaml", small, sizeof small - 1);
	put_file(u->folder, "changes.yaml", small, sizeof small - 1);
	sha256_hex(small, sizeof small - 1, digest);
	url_loads(u, "/small.yaml", NULL, small, "a URL");
	url_loads(u, "/redirect", NULL, small, "a redirect");
	url_loads(u, "/small.yaml", digest, small, "by its digest");
	url_loads(u, "/nothing-there", digest, small, "by its digest from the kept ones, wherever it was");
	loads(u->resolver, "small.yaml", program, NULL, small, "a path in a text from a URL");
	loads(u->resolver, "/small.yaml", program, NULL, small, "a path from the server's root");
	url_loads(u, "/changes.yaml", NULL, small, "a text that will change");
	put_file(u->folder, "changes.yaml", other, sizeof other - 1);
	url_loads(u, "/changes.yaml", NULL, other, "is asked for each time");
	url_says(u, "/changes.yaml", wrong, "is not the text that is wanted", "a wrong digest");
	url_says(u, "/changes.yaml", digest, "image: x", "the digest of the text that it had still gives that");
}

static void
check_misbehaving(const struct urls *u)
{
	url_says(u, "/missing.yaml", NULL, "the server answered 404", "404");
	url_says(u, "/broken", NULL, "the server answered 503", "503");
	url_says(u, "/to-http", NULL, "redirects to what is not https", "a redirect to http");
	url_says(u, "/to-file", NULL, "redirects to what is not https", "a redirect to a file");
	url_says(u, "/loop", NULL, "redirects more than 5 times", "a loop of redirects");
	url_says(u, "/endless", NULL, "is larger than 8388608 bytes", "an endless answer");
	url_says(u, "/claims-much", NULL, "is larger than 8388608 bytes", "an answer that says it is large");
}

static bool
always(void *context)
{
	++*(int *)context;
	return true;
}

/* Resolvers that give up: by the clock, by hand, for want of trust. */
static void
check_giving_up(const struct urls *u, const char *cache)
{
	CLEANUP(freep) char *certificate = path_in(u->folder, "certificate.pem");
	int asked = 0;
	struct resolver_options impatient = { .cache_folder = cache, .ca_file = certificate, .timeout_ms = 200 };
	struct resolver_options stopped = { .cache_folder = cache, .ca_file = certificate, .stop = always, .context = &asked };
	struct resolver_options distrustful = { .cache_folder = cache };
	struct urls mine = *u;

	mine.resolver = resolver_new_with(&impatient);
	url_says(&mine, "/never", NULL, "did not answer in time", "a server that never answers");
	resolver_free(mine.resolver);
	mine.resolver = resolver_new_with(&stopped);
	url_says(&mine, "/never", NULL, "was interrupted", "an interrupt");
	ok(asked > 0, "the caller was asked");
	resolver_free(mine.resolver);
	unsetenv("SSL_CERT_FILE");
	mine.resolver = resolver_new_with(&distrustful);
	url_says(&mine, "/small.yaml", NULL, "cannot be trusted", "an unknown certificate, though a copy is kept");
	resolver_free(mine.resolver);
	setenv("SSL_CERT_FILE", certificate, 1);
	mine.resolver = resolver_new_with(&distrustful);
	url_loads(&mine, "/small.yaml", NULL, small, "trusted by SSL_CERT_FILE");
	resolver_free(mine.resolver);
	unsetenv("SSL_CERT_FILE");
}

static void
check_offline(const struct urls *u, const char *cache)
{
	char digest[SHA256_HEX], name[SHA256_HEX + 8];

	url_loads(u, "/changes.yaml", NULL, other, "without a network, the text it last had");
	url_loads(u, "/redirect", NULL, small, "also behind a redirect");
	url_says(u, "/missing.yaml", NULL, "cannot be loaded", "what was never there");
	sha256_hex(other, sizeof other - 1, digest);
	snprintf(name, sizeof name, "%s.yaml", digest);
	put_file(cache, name, small, sizeof small - 1);
	url_says(u, "/changes.yaml", NULL, "cannot be loaded", "a kept text that somebody changed is not taken");
	url_says(u, "/changes.yaml", digest, "cannot be loaded", "nor by its digest");
}

static void
check_urls(const char *folder)
{
	CLEANUP(freep) char *cache = path_in(folder, "cache/deep/within"), *certificate = path_in(folder, "certificate.pem");
	struct resolver_options options = { .cache_folder = cache, .ca_file = certificate };
	struct server server;
	struct urls u = { &server, NULL, folder };

	if (!start_server(&server, folder)) {
		stop_server(&server);
		skip(29, "python3 with ssl, or openssl, is not there to be a server");
		return;
	}
	u.resolver = resolver_new_with(&options);
	check_online(&u);
	check_misbehaving(&u);
	check_giving_up(&u, cache);
	stop_server(&server);
	check_offline(&u, cache);
	resolver_free(u.resolver);
}

int
main(void)
{
	CLEANUP(freep) char *folder = test_temp_dir();
	struct resolver *resolver;

	signal(SIGPIPE, SIG_IGN);
	setenv("XDG_CACHE_HOME", folder, 1);
	resolver = resolver_new();
	check_paths(resolver, folder);
	check_refused_urls(resolver);
	check_std(resolver);
	resolver_free(resolver);
	check_urls(folder);
	test_remove_tree(folder);
	return done_testing();
}

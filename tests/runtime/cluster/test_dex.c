/* Signing in at a real dex behind a real oauth2-proxy, as Kubeflow sets them up. LATEEN_DEX and LATEEN_OAUTH2_PROXY name the two
 * programs (github.com/dexidp/dex, github.com/oauth2-proxy/oauth2-proxy); without them nothing is tested. */
#include "config.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cluster/door_kfp.h"
#include "tests/tap.h"

enum { PATIENCE = 300, PAUSE = 100 }; /* times, and milliseconds between them, until a program must listen */

extern char **environ;

struct site {
	char *folder;
	struct http *http;
	unsigned dex_port, proxy_port;
	pid_t dex, proxy;
};

/* A port that was free just now. */
static unsigned
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || getsockname(fd, (struct sockaddr *)&address, &len))
		BUG("no port to be had");
	close(fd);
	return ntohs(address.sin_port);
}

static void
write_file(const char *folder, const char *name, const char *text)
{
	struct buf path = { 0 };
	FILE *file;

	buf_printf(&path, "%s/%s", folder, name);
	file = fopen(buf_text(&path), "w");
	if (!file || fputs(text, file) < 0 || fclose(file))
		BUG("cannot write `%s`", buf_text(&path));
	buf_release(&path);
}

static pid_t
start(struct site *site, const char *const *argv, const char *log)
{
	struct buf path = { 0 };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	buf_printf(&path, "%s/%s", site->folder, log);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, buf_text(&path), O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	if (posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ))
		BUG("cannot start `%s`", argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	buf_release(&path);
	return pid;
}

static void
stop(pid_t *pid)
{
	if (*pid > 0 && !kill(*pid, SIGTERM))
		waitpid(*pid, NULL, 0);
	*pid = 0;
}

static bool
listens(struct site *site, unsigned port)
{
	struct buf url = { 0 };
	bool there = false;

	buf_printf(&url, "http://127.0.0.1:%u/", port);
	for (int i = 0; i < PATIENCE && !there; i++) {
		struct http_request request = { .method = "GET", .url = buf_text(&url) };
		struct http_reply reply = { 0 };
		struct error err;

		there = site->http->exchange(site->http, &request, &reply, &err) == HTTP_ANSWERED;
		http_reply_release(&reply);
		if (!there)
			site->http->wait(site->http, PAUSE);
	}
	buf_release(&url);
	return there;
}

static bool
start_dex(struct site *site)
{
	struct buf text = { 0 }, path = { 0 };
	const char *argv[] = { getenv("LATEEN_DEX"), "serve", NULL, NULL };

	buf_printf(&text,
		"issuer: http://127.0.0.1:%u/dex\nstorage: {type: memory}\nweb: {http: \"127.0.0.1:%u\"}\nstaticClients:\n"
		"- {id: kubeflow, secret: client-secret, name: kubeflow, redirectURIs: [\"http://127.0.0.1:%u/oauth2/callback\"]}\n"
		"enablePasswordDB: true\nstaticPasswords:\n- email: user@example.com\n  username: user\n  userID: \"1\"\n"
		"  hash: \"$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W\"\n", site->dex_port, site->dex_port, site->proxy_port);
	write_file(site->folder, "dex.yaml", buf_text(&text));
	buf_printf(&path, "%s/dex.yaml", site->folder);
	argv[2] = buf_text(&path);
	site->dex = start(site, argv, "dex.log");
	buf_release(&text);
	buf_release(&path);
	return listens(site, site->dex_port);
}

/* With another secret all sessions are void. */
static bool
start_proxy(struct site *site, const char *secret)
{
	struct buf issuer = { 0 }, redirect = { 0 }, address = { 0 }, upstream = { 0 }, cookie = { 0 };
	bool there;

	buf_printf(&issuer, "--oidc-issuer-url=http://127.0.0.1:%u/dex", site->dex_port);
	buf_printf(&redirect, "--redirect-url=http://127.0.0.1:%u/oauth2/callback", site->proxy_port);
	buf_printf(&address, "--http-address=127.0.0.1:%u", site->proxy_port);
	buf_printf(&upstream, "--upstream=file://%s/www/#/", site->folder);
	buf_printf(&cookie, "--cookie-secret=%s", secret);
	const char *argv[] = { getenv("LATEEN_OAUTH2_PROXY"), "--provider=oidc", "--client-id=kubeflow", "--client-secret=client-secret",
		"--cookie-secure=false", "--email-domain=*", "--skip-provider-button=true", issuer.data, redirect.data, address.data, upstream.data,
		cookie.data, NULL };

	site->proxy = start(site, argv, "proxy.log");
	there = listens(site, site->proxy_port);
	buf_release(&issuer);
	buf_release(&redirect);
	buf_release(&address);
	buf_release(&upstream);
	buf_release(&cookie);
	return there;
}

static void
make_pages(struct site *site)
{
	static const char *const folders[] = { "www", "www/apis", "www/apis/v1beta1" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct buf path = { 0 };

		buf_printf(&path, "%s/%s", site->folder, folders[i]);
		if (mkdir(buf_text(&path), 0700))
			BUG("cannot make `%s`", buf_text(&path));
		buf_release(&path);
	}
	write_file(site->folder, "www/index.html", "<html>Kubeflow Pipelines</html>");
	write_file(site->folder, "www/apis/v1beta1/healthz", "{\"tag_name\": \"2.17.0\", \"multi_user\": false}");
}

static struct door *
open_door(struct site *site, struct arena *arena, const struct secret *password)
{
	struct kfp_options options = { .url = arena_printf(arena, "http://127.0.0.1:%u", site->proxy_port), .place = "the cluster `prod`",
		.login = { .kind = KFP_AUTH_DEX, .user = "user@example.com", .password = password } };

	return door_kfp_new(site->http, NULL, &options);
}

static void
check(struct door *door, struct arena *arena, const char *what)
{
	struct api_failure failure = { 0 };
	const char *version = NULL;

	if (!ok(!door->ops->probe(door, arena, &version, &failure), "%s", what))
		tap_note("%s; %s", failure.what, failure.help);
	is_str(version, "2.17.0", "and the answer is the server's");
}

static void
test_sign_in(struct site *site)
{
	static const struct secret good = { .source = SECRET_ENV, .name = "KFP_TEST_PASSWORD" }, bad = { .source = SECRET_ENV, .name = "KFP_TEST_WRONG" };
	struct arena *arena = arena_new();
	struct door *door = open_door(site, arena, &good), *other = open_door(site, arena, &bad);
	struct api_failure failure = { 0 };
	const char *version;

	check(door, arena, "one signs in");
	check(door, arena, "and the cookie goes on");
	stop(&site->proxy);
	if (ok(start_proxy(site, "fedcba9876543210"), "another oauth2-proxy"))
		check(door, arena, "which does not know the cookie, is signed in to anew");
	ok(other->ops->probe(other, arena, &version, &failure) < 0 && failure.kind == API_UNKNOWN_USER, "a wrong password: %s", failure.what);
	ok(!strstr(failure.what, "hidden-word") && !strstr(failure.help, "hidden-word"), "which is not told");
	stop(&site->dex);
	ok(other->ops->probe(other, arena, &version, &failure) < 0, "dex is away: %s", failure.what);
	door_free(door);
	door_free(other);
	arena_free(arena);
}

int
main(void)
{
	struct site site = { .dex_port = free_port(), .proxy_port = free_port() };

	if (!getenv("LATEEN_DEX") || !getenv("LATEEN_OAUTH2_PROXY"))
		skip_all("LATEEN_DEX and LATEEN_OAUTH2_PROXY do not say where dex and oauth2-proxy are");
	setenv("KFP_TEST_PASSWORD", "password", 1);
	setenv("KFP_TEST_WRONG", "hidden-word", 1);
	site.folder = test_temp_dir();
	site.http = http_curl_new();
	make_pages(&site);
	if (ok(start_dex(&site), "dex") && ok(start_proxy(&site, "0123456789abcdef"), "oauth2-proxy"))
		test_sign_in(&site);
	stop(&site.proxy);
	stop(&site.dex);
	http_free(site.http);
	test_remove_tree(site.folder);
	free(site.folder);
	return done_testing();
}

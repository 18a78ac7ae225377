/* The process that keeps a pod's sandbox: it waits, and reaps whatever children others leave it. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
leave(int number)
{
	(void)number;
	_exit(0);
}

static void
reap(int number)
{
	(void)number;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int
main(void)
{
	signal(SIGCHLD, reap);
	signal(SIGINT, leave);
	signal(SIGTERM, leave);
	for (;;)
		pause();
}

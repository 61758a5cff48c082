// SPDX-License-Identifier: Apache-2.0
// Processes that do nothing: as many as the first argument says, until the input ends. Says "ready"
// when all are there; they end with status 0. With a second argument, a file with a cgroup directory
// in each line, each process goes into one of them, in turn. "poke N" as a line of the input makes N
// of them, in turn and 2000 a second, fork a child that ends at once, and says "done".
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACE_US 500

static void be_poked(int signal)
{
	(void)signal;
}

static void live_until_closed(const int ends[2])
{
	char nothing;

	close(ends[1]);
	for (;;) {
		const ssize_t got = read(ends[0], &nothing, 1);

		if (got >= 0 || errno != EINTR)
			_exit(got == 0 ? 0 : 1);
		if (fork() == 0)
			_exit(0);
		wait(NULL);
	}
}

static int enter(const char *directory)
{
	char file[4096], pid[16];
	const int length = snprintf(pid, sizeof(pid), "%d", getpid());
	int opened, written;

	snprintf(file, sizeof(file), "%s/cgroup.procs", directory);
	opened = open(file, O_WRONLY | O_CLOEXEC);
	if (opened < 0)
		return -1;
	written = write(opened, pid, (size_t)length);
	close(opened);
	return written == length ? 0 : -1;
}

/* The next line of the file, from the beginning again after the last; NULL: it has none. */
static const char *next_directory(FILE *file)
{
	static char line[4096];

	if (!fgets(line, sizeof(line), file)) {
		rewind(file);
		if (!fgets(line, sizeof(line), file))
			return NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void poke(const pid_t *members, long count, long pokes)
{
	static long next;

	for (; pokes > 0; pokes--, next++) {
		kill(members[next % count], SIGUSR1);
		usleep(PACE_US);
	}
	puts("done");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const long wanted = argc >= 2 ? strtol(argv[1], NULL, 10) : 0;
	FILE *directories = argc == 3 ? fopen(argv[2], "re") : NULL;
	const struct sigaction poked = {.sa_handler = be_poked}; /* no SA_RESTART: read(2) returns */
	pid_t *members = wanted > 0 ? calloc((size_t)wanted, sizeof(pid_t)) : NULL;
	char command[64];
	int ends[2];

	if (!members || argc > 3 || (argc == 3 && !directories) || pipe(ends) ||
	    sigaction(SIGUSR1, &poked, NULL)) {
		fprintf(stderr, "usage: crowd HOW_MANY [FILE]\n");
		return 2;
	}
	for (long i = 0; i < wanted; i++) {
		const char *directory = directories ? next_directory(directories) : NULL;

		members[i] = fork();
		if (members[i] == 0) {
			if (directory && enter(directory))
				_exit(1);
			live_until_closed(ends);
		}
		if (members[i] < 0) {
			perror("crowd: fork");
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (fgets(command, sizeof(command), stdin))
		if (!strncmp(command, "poke ", 5))
			poke(members, wanted, strtol(command + 5, NULL, 10));
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}

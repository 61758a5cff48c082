// SPDX-License-Identifier: Apache-2.0
// Processes that do nothing: as many as its argument says, until its input ends. Says "ready" when
// all are there; they end with status 0.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void live_until_closed(const int ends[2])
{
	char nothing;

	close(ends[1]);
	_exit(read(ends[0], &nothing, 1) == 0 ? 0 : 1);
}

int main(int argc, char **argv)
{
	const long wanted = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	int ends[2];

	if (wanted <= 0 || pipe(ends)) {
		fprintf(stderr, "usage: crowd HOW_MANY\n");
		return 2;
	}
	for (long i = 0; i < wanted; i++) {
		const pid_t child = fork();

		if (child == 0)
			live_until_closed(ends);
		if (child < 0) {
			perror("crowd: fork");
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}

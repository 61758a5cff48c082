// SPDX-License-Identifier: Apache-2.0
// loops NAME COUNT SECONDS [ARGUMENT]: one operation again and again, COUNT times or SECONDS long,
// whichever is over first. Prints {"operations": N, "ns": T}. `loops sink ADDRESS` takes packets
// until its input ends; `loops flows COUNT` holds as many TCP connections over loopback until then;
// `loops disturbed CPU SECONDS` tells how often somebody else had that CPU.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY 64 /* operations; the clock is read no more often */
#define PAGES 64      /* of one mapping */
#define BLOCK 4096
#define PORT 7171
#define UNDISTURBED 5000 /* ns */
#define FLOWS_EACH 8000 /* twice as many descriptors */

static const char *argument;
static char *const no_environment[] = {NULL};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void check(bool good, const char *what)
{
	if (!good)
		fail(what);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void wait_for(pid_t pid)
{
	int status;

	check(waitpid(pid, &status, 0) == pid && status == 0, "the child did not end well");
}

static void exec_once(uint64_t i)
{
	char *const words[] = {(char *)argument, (char *)"0", NULL};
	pid_t pid;

	check(posix_spawn(&pid, argument, NULL, NULL, words, no_environment) == 0, argument);
	wait_for(pid);
}

static void fork_once(uint64_t i)
{
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0)
		_exit(0);
	wait_for(pid);
}

static void getppid_once(uint64_t i)
{
	syscall(SYS_getppid);
}

static void openat_once(uint64_t i)
{
	int fd = openat(AT_FDCWD, "/dev/null", O_RDONLY);

	check(fd >= 0, "/dev/null");
	close(fd);
}

static void malloc_once(uint64_t i)
{
	volatile char *memory = malloc(16 << i % 9); /* 16 bytes to 4 KiB */

	check(memory != NULL, "malloc");
	memory[0] = 1;
	free((void *)memory);
}

/* One operation is one page that is not there yet. */
static void fault_once(uint64_t i)
{
	static volatile char *pages;
	long size = sysconf(_SC_PAGESIZE);

	if (i % PAGES == 0) {
		if (pages)
			munmap((void *)pages, PAGES * size);
		pages = mmap(NULL, PAGES * size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		check(pages != MAP_FAILED, "mmap");
		madvise((void *)pages, PAGES * size, MADV_NOHUGEPAGE);
	}
	pages[i % PAGES * size] = 1;
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	handled++;
}

static void signals_prepare(void)
{
	struct sigaction action = {.sa_handler = handle};

	check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
}

static void signal_once(uint64_t i)
{
	kill(getpid(), SIGUSR1);
}

static void stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	check(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity");
}

/* To and fro: two switches, because both live on one CPU. */
static int there[2], back[2];

static void pipe_prepare(void)
{
	int cpu = sched_getcpu();
	char byte;

	stay_on(cpu < 0 ? 0 : cpu);
	check(pipe(there) == 0 && pipe(back) == 0, "pipe");
	if (fork() != 0)
		return; /* the other one ends with the pipe */
	close(there[1]);
	while (read(there[0], &byte, 1) == 1)
		if (write(back[1], &byte, 1) != 1)
			break;
	_exit(0);
}

static void pipe_once(uint64_t i)
{
	char byte = 0;

	check(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
}

static struct sockaddr_in address_of(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};

	check(text && inet_pton(AF_INET, text, &address.sin_addr) == 1, "no address");
	return address;
}

static int bound(int type, const char *text)
{
	struct sockaddr_in address = address_of(text);
	int one = 1, fd = socket(AF_INET, type, 0);

	check(fd >= 0, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	check(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
	return fd;
}

static int listening;

static void tcp_prepare(void)
{
	listening = bound(SOCK_STREAM, "127.0.0.1");
	check(listen(listening, 16) == 0, "listen");
}

/* The server closes first: what waits afterwards is its, and the client's port is free again. */
static void tcp_once(uint64_t i)
{
	struct sockaddr_in address = address_of("127.0.0.1");
	int client = socket(AF_INET, SOCK_STREAM, 0), server;

	check(client >= 0, "socket");
	check(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	server = accept(listening, NULL, NULL);
	check(server >= 0, "accept");
	close(server);
	close(client);
}

static int packets;

static void packets_prepare(void)
{
	struct sockaddr_in address = address_of(argument);

	packets = socket(AF_INET, SOCK_DGRAM, 0);
	check(packets >= 0, "socket");
	check(connect(packets, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
}

static void packet_once(uint64_t i)
{
	static const char bytes[64];

	check(send(packets, bytes, sizeof(bytes), 0) == sizeof(bytes), "send");
}

/* It never reads: its buffer fills, and then each packet ends there. */
static void sink(const char *text)
{
	char byte;

	bound(SOCK_DGRAM, text);
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
}

/* As many as one process may have open on most machines, and clients of an address have ports for. */
static void hold_flows(uint64_t count, uint64_t address)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(443)};
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK + address);
	check(bind(listener, (void *)&to, sizeof(to)) == 0, "bind");
	check(listen(listener, 64) == 0, "listen");
	for (uint64_t i = 0; i < count; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		check(connect(client, (void *)&to, sizeof(to)) == 0, "connect");
		check(accept(listener, NULL, NULL) >= 0, "accept");
	}
}

/* For a network namespace of its own: they go to port 443 of 127.0.0.1 and on. */
static void flows(uint64_t count)
{
	int held[2], go[2];
	char byte;

	check(pipe(go) == 0, "pipe");
	for (uint64_t i = 0; i * FLOWS_EACH < count; i++) {
		const uint64_t left = count - i * FLOWS_EACH;

		check(pipe(held) == 0, "pipe");
		if (fork() == 0) {
			close(go[1]);
			close(held[0]);
			hold_flows(left < FLOWS_EACH ? left : FLOWS_EACH, i);
			check(write(held[1], "h", 1) == 1, "write");
			close(held[1]);
			_exit(read(go[0], &byte, 1) != 0);
		}
		close(held[1]);
		if (read(held[0], &byte, 1) != 1)
			exit(1); /* it said why */
		close(held[0]);
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	close(go[1]);
	while (wait(NULL) > 0)
		;
}

/* It never sleeps. Longer than UNDISTURBED between two looks at the clock: it did not run. */
static void disturbed(int cpu, double seconds)
{
	uint64_t begin, end, now, before, away = 0, longest = 0, times = 0;
	struct rusage first, last;

	stay_on(cpu);
	getrusage(RUSAGE_SELF, &first);
	begin = before = now_ns();
	end = begin + (uint64_t)(seconds * 1e9);
	for (; before < end; before = now) {
		now = now_ns();
		if (now - before < UNDISTURBED)
			continue;
		times++;
		away += now - before;
		longest = now - before > longest ? now - before : longest;
	}
	getrusage(RUSAGE_SELF, &last);
	printf("{\"ns\": %llu, \"times\": %llu, \"away_ns\": %llu, \"longest_ns\": %llu, "
	       "\"preempted\": %ld}\n",
	       (unsigned long long)(before - begin), (unsigned long long)times,
	       (unsigned long long)away, (unsigned long long)longest,
	       last.ru_nivcsw - first.ru_nivcsw);
}

static int device;
static char *block;
static uint64_t blocks;

static void block_prepare(void)
{
	device = open(argument, O_RDONLY | O_DIRECT);
	check(device >= 0, argument);
	block = aligned_alloc(BLOCK, BLOCK);
	blocks = lseek(device, 0, SEEK_END) / BLOCK;
	check(block && blocks > 0, "the device is empty");
}

static void block_once(uint64_t i)
{
	check(pread(device, block, BLOCK, i % blocks * BLOCK) == BLOCK, "pread");
}

static const struct loop {
	const char *name;
	void (*prepare)(void);
	void (*once)(uint64_t i);
} loops[] = {
	{"exec", NULL, exec_once},
	{"fork", NULL, fork_once},
	{"getppid", NULL, getppid_once},
	{"openat", NULL, openat_once},
	{"malloc", NULL, malloc_once},
	{"faults", NULL, fault_once},
	{"signals", signals_prepare, signal_once},
	{"pipe", pipe_prepare, pipe_once},
	{"tcp", tcp_prepare, tcp_once},
	{"packets", packets_prepare, packet_once},
	{"block", block_prepare, block_once},
};

static void run(const struct loop *loop, uint64_t count, double seconds)
{
	uint64_t done = 0, begin, end;

	if (loop->prepare)
		loop->prepare();
	begin = now_ns();
	end = begin + (uint64_t)(seconds * 1e9);
	do {
		for (int i = 0; i < LOOK_EVERY && done < count; i++)
			loop->once(done++);
	} while (done < count && now_ns() < end);
	end = now_ns();
	if (loop->once == signal_once && (uint64_t)handled != done)
		fail("signals were not handled");
	printf("{\"operations\": %llu, \"ns\": %llu}\n", (unsigned long long)done,
	       (unsigned long long)(end - begin));
}

int main(int argc, char **argv)
{
	uint64_t count = argc > 3 ? strtoull(argv[2], NULL, 10) : 0;
	double seconds = argc > 3 ? atof(argv[3]) : 0;

	if (argc == 3 && strcmp(argv[1], "sink") == 0) {
		sink(argv[2]);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "flows") == 0) {
		flows(strtoull(argv[2], NULL, 10));
		return 0;
	}
	if (argc == 4 && strcmp(argv[1], "disturbed") == 0) {
		disturbed(atoi(argv[2]), atof(argv[3]));
		return 0;
	}
	argument = argc > 4 ? argv[4] : NULL;
	for (size_t i = 0; count > 0 && i < sizeof(loops) / sizeof(*loops); i++)
		if (strcmp(argv[1], loops[i].name) == 0) {
			run(&loops[i], count, seconds);
			return 0;
		}
	fprintf(stderr, "usage: loops NAME COUNT SECONDS [ARGUMENT], with a COUNT above 0; or "
			"loops sink ADDRESS, loops flows COUNT, loops disturbed CPU SECONDS\n");
	return 2;
}

// SPDX-License-Identifier: Apache-2.0
// Runs itself as often as its argument says. Static and without a C library, so that a storm of
// execs costs what the kernel costs.
#include <sys/syscall.h>

static long call(long number, long a, long b, long c)
{
	long result;
#if defined(__x86_64__)
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	result = x0;
#else
#error "no system call for this architecture"
#endif
	return result;
}

__attribute__((used)) void run(long *stack)
{
	char **argv = (char **)(stack + 1), *digits = argv[1];
	long end = 0, at;

	while (digits[end])
		end++;
	for (at = end - 1; at >= 0 && digits[at] == '0'; at--)
		digits[at] = '9';
	if (at < 0)
		call(SYS_exit_group, 0, 0, 0);
	digits[at]--;
	call(SYS_execve, (long)"/proc/self/exe", (long)argv, 0);
	call(SYS_exit_group, 1, 0, 0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
#else
__asm__(".globl _start\n_start: mov x0, sp\n bl run\n");
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unknown program without any library: one system call after its start the trace is there.
 * Built for x86-64 and for i386, and as a library that can be started; also serves as an unknown
 * interpreter of programs.
 */
#if defined(__x86_64__)
#define NUMBER_SYMLINK 88
#define NUMBER_EXIT    60
__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n");
static long call2(long number, long a, long b)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__i386__)
#define NUMBER_SYMLINK 83
#define NUMBER_EXIT    1
__asm__(".globl _start\n_start:\n\tmov %esp, %eax\n\tpush %eax\n\tcall begin\n");
static long call2(long number, long a, long b)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
	return result;
}
#else
#error "written for x86"
#endif

__attribute__((visibility("hidden"))) void begin(const long *stack);

/* stack: argc, argv…, NULL, environment…, NULL (System V ABI, initial process stack) */
__attribute__((used)) void begin(const long *stack)
{
	const char *const *variable = (const char *const *)(stack + 1 + *stack + 1);

	for (; *variable; variable++) {
		const char *text = *variable;

		if (text[0] == 'T' && text[1] == 'R' && text[2] == 'A' && text[3] == 'C' &&
		    text[4] == 'E' && text[5] == '=')
			call2(NUMBER_SYMLINK, (long)"an unknown program", (long)(text + 6));
	}
	for (;;)
		call2(NUMBER_EXIT, 0, 0);
}

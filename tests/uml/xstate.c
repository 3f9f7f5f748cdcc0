/* User-Mode Linux 6.1 on processors with AMX.
 *
 * It keeps 2,696 bytes of a process's registers (up to PKRU); a host whose processor has tile
 * registers wants all of some 11 KB at once when they are set, and says EFAULT. Loaded into
 * linux.uml (LD_PRELOAD), this fills up what is missing with registers in their first state. The
 * guest's programs lose their tiles at a change of process; none of ours has any.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_AT 512 /* behind the legacy area: which components the buffer holds */
#define KNOWN 0x2ff   /* x87, SSE, AVX, MPX, AVX-512, PKRU */

static unsigned char whole[1 << 16] __attribute__((aligned(64)));

long ptrace(enum __ptrace_request request, ...)
{
    va_list words;
    va_start(words, request);
    pid_t pid = va_arg(words, pid_t);
    void *address = va_arg(words, void *);
    void *data = va_arg(words, void *);
    va_end(words);
    if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER) {
        long seen = 0; /* the kernel writes it; libc returns it */
        return syscall(SYS_ptrace, request, pid, address, &seen) < 0 ? -1 : seen;
    }
    if (request == PTRACE_SETREGSET && (uintptr_t)address == NT_X86_XSTATE) {
        struct iovec *given = data, full = {whole, sizeof whole};
        if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, address, &full) == 0
            && given->iov_len < full.iov_len) {
            memset(whole, 0, full.iov_len);
            memcpy(whole, given->iov_base, given->iov_len);
            uint64_t components;
            memcpy(&components, whole + HEADER_AT, sizeof components);
            components &= KNOWN;
            memcpy(whole + HEADER_AT, &components, sizeof components);
            return syscall(SYS_ptrace, request, pid, address, &full);
        }
    }
    return syscall(SYS_ptrace, request, pid, address, data);
}

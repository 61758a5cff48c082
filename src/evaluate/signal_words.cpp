// SPDX-License-Identifier: Apache-2.0
#include "evaluate/signal_words.hpp"

#include <fmt/format.h>

#include <csignal>

namespace tapio {

bool is_fault(std::int32_t signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
         signal == SIGTRAP;
}

namespace {

struct FaultCode {
  std::int32_t signal;
  std::int32_t code;
  std::string_view text;
};

// include/uapi/asm-generic/siginfo.h. SI_KERNEL is what x86 gives for a general protection fault,
// and any architecture when the stack has no room for a signal frame.
constexpr FaultCode kFaultCodes[] = {
    {SIGSEGV, SEGV_MAPERR, "address not mapped"},
    {SIGSEGV, SEGV_ACCERR, "no permission"},
    {SIGSEGV, 3, "address out of bounds"},              // SEGV_BNDERR
    {SIGSEGV, 4, "denied by a memory protection key"},  // SEGV_PKUERR
    {SIGSEGV, 8, "memory tag mismatch"},                // SEGV_MTEAERR
    {SIGSEGV, 9, "memory tag mismatch"},                // SEGV_MTESERR
    {SIGSEGV, 10, "control flow broken"},               // SEGV_CPERR
    {SIGSEGV, SI_KERNEL, "not a valid address, or the stack is unusable"},
    {SIGBUS, BUS_ADRALN, "misaligned address"},
    {SIGBUS, BUS_ADRERR, "no memory behind the address, such as a file that was cut short"},
    {SIGBUS, BUS_OBJERR, "hardware error"},
    {SIGBUS, BUS_MCEERR_AR, "memory with a hardware error was used"},
    {SIGBUS, BUS_MCEERR_AO, "memory has a hardware error"},
    {SIGBUS, SI_KERNEL, "not a valid address"},
    {SIGILL, ILL_ILLOPC, "illegal opcode"},
    {SIGILL, ILL_ILLOPN, "illegal operand"},
    {SIGILL, ILL_ILLADR, "illegal addressing mode"},
    {SIGILL, ILL_ILLTRP, "illegal trap"},
    {SIGILL, ILL_PRVOPC, "privileged opcode"},
    {SIGILL, ILL_PRVREG, "privileged register"},
    {SIGILL, ILL_COPROC, "coprocessor error"},
    {SIGILL, ILL_BADSTK, "stack error"},
    {SIGFPE, FPE_INTDIV, "integer division by zero"},
    {SIGFPE, FPE_INTOVF, "integer overflow"},
    {SIGFPE, FPE_FLTDIV, "floating-point division by zero"},
    {SIGFPE, FPE_FLTOVF, "floating-point overflow"},
    {SIGFPE, FPE_FLTUND, "floating-point underflow"},
    {SIGFPE, FPE_FLTRES, "inexact floating-point result"},
    {SIGFPE, FPE_FLTINV, "invalid floating-point operation"},
    {SIGFPE, FPE_FLTSUB, "subscript out of range"},
    {SIGTRAP, TRAP_BRKPT, "breakpoint"},
    {SIGTRAP, TRAP_TRACE, "trace trap"},
    {SIGTRAP, SI_KERNEL, "breakpoint"},
};

std::string_view fault_name(std::int32_t signal) {
  if (signal == SIGSEGV) return "invalid memory access";
  if (signal == SIGBUS) return "bus error";
  if (signal == SIGILL) return "illegal instruction";
  if (signal == SIGFPE) return "arithmetic error";
  return "trap";
}

}  // namespace

std::string fault_detail(std::int32_t signal, std::int32_t code) {
  for (const auto& known : kFaultCodes)
    if (known.signal == signal && known.code == code)
      return fmt::format("{} ({})", fault_name(signal), known.text);
  return fmt::format("{} (code {})", fault_name(signal), code);
}

KernelReason kernel_reason(std::int32_t signal) {
  switch (signal) {
    case SIGKILL:
      return {
          "kernel",
          "the kernel killed it, as it does for a write to cgroup.kill, a hard limit of CPU time "
          "(RLIMIT_CPU), or want of memory; nothing seen says which",
          0.6};
    case SIGPIPE:
      return {"kernel", "it wrote to a closed pipe or socket", 0.95};
    case SIGXCPU:
      return {"kernel", "it used more CPU time than its limit (RLIMIT_CPU) allows", 0.95};
    case SIGXFSZ:
      return {"kernel", "it wrote a file larger than its limit (RLIMIT_FSIZE) allows", 0.9};
    case SIGHUP:
      return {"kernel", "its terminal was closed or the leader of its session ended", 0.9};
    case SIGINT:
      return {"terminal (Ctrl-C)", "somebody pressed the interrupt key of its terminal", 0.95};
    case SIGQUIT:
      return {"terminal (Ctrl-\\)", "somebody pressed the quit key of its terminal", 0.95};
    case SIGSYS:
      return {"kernel", "its seccomp filter forbids a system call that it made", 0.95};
    case SIGIO:
      return {"kernel", "a file that it asked to be told about became ready", 0.9};
  }
  return {"kernel", "the kernel sent it by itself; nothing seen says why", 0.6};
}

}  // namespace tapio

// SPDX-License-Identifier: Apache-2.0
// Whether types are those of the running kernel, by trying: a program reads the id and the name of
// the current task where they should be, and compares them with what the kernel's helpers say.
#include <bpf/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "capture/btf.hpp"

namespace tapio::capture {

namespace {

constexpr const char* kHook = "sys_enter";  // fires when we want it to
constexpr int kTries = 64;
constexpr std::uint32_t kCommBytes = 16;
enum Count : std::uint32_t { same, other, counts_of_both };

// Where the program keeps what, from the end of its stack.
constexpr int kKey = -8, kTgid = -16, kSaid = -32, kRead = -48;

std::optional<int> offset_in_task(const btf& types, std::string_view field) {
  const int id = btf__find_by_name_kind(&types, "task_struct", BTF_KIND_STRUCT);
  if (id <= 0) return {};
  const btf_type* task = btf__type_by_id(&types, static_cast<__u32>(id));
  for (__u32 i = 0; i < btf_vlen(task); ++i)
    if (field == btf__name_by_offset(&types, btf_members(task)[i].name_off))
      return static_cast<int>(btf_member_bit_offset(task, i) / 8);
  return {};
}

bpf_insn instruction(int code, std::uint8_t to, std::uint8_t from, int offset, int value) {
  return {.code = static_cast<__u8>(code),
          .dst_reg = static_cast<__u8>(to & 0xf),
          .src_reg = static_cast<__u8>(from & 0xf),
          .off = static_cast<__s16>(offset),
          .imm = value};
}
bpf_insn set(std::uint8_t to, std::uint8_t from) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
bpf_insn set_to(std::uint8_t to, int value) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
bpf_insn add(std::uint8_t to, int value) {
  return instruction(BPF_ALU64 | BPF_ADD, to, 0, 0, value);  // BPF_K is 0
}
bpf_insn call(int helper) {
  return instruction(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}
bpf_insn store(int size, int at, int value) {
  return instruction(BPF_ST | BPF_MEM | size, BPF_REG_10, 0, at, value);
}
bpf_insn load(int size, std::uint8_t to, int at) {
  return instruction(BPF_LDX | BPF_MEM | size, to, BPF_REG_10, at, 0);
}
bpf_insn skip_if_other(std::uint8_t a, std::uint8_t b, int instructions) {
  return instruction(BPF_JMP | BPF_JNE | BPF_X, a, b, instructions, 0);
}

// Adds 1 to same or other in each run.
std::vector<bpf_insn> comparison(int counts, int tgid, int comm) {
  return {
      store(BPF_DW, kKey, other),
      store(BPF_DW, kRead, 0),
      store(BPF_DW, kRead + 8, 0),
      call(BPF_FUNC_get_current_pid_tgid),
      set(BPF_REG_6, BPF_REG_0),
      instruction(BPF_ALU64 | BPF_RSH | BPF_K, BPF_REG_6, 0, 0, 32),
      call(BPF_FUNC_get_current_task),
      set(BPF_REG_7, BPF_REG_0),
      // its id
      set(BPF_REG_1, BPF_REG_10),
      add(BPF_REG_1, kTgid),
      set_to(BPF_REG_2, 4),
      set(BPF_REG_3, BPF_REG_7),
      add(BPF_REG_3, tgid),
      call(BPF_FUNC_probe_read),
      load(BPF_W, BPF_REG_8, kTgid),
      skip_if_other(BPF_REG_8, BPF_REG_6, 17),
      // its name
      set(BPF_REG_1, BPF_REG_10),
      add(BPF_REG_1, kSaid),
      set_to(BPF_REG_2, kCommBytes),
      call(BPF_FUNC_get_current_comm),
      set(BPF_REG_1, BPF_REG_10),
      add(BPF_REG_1, kRead),
      set_to(BPF_REG_2, kCommBytes),
      set(BPF_REG_3, BPF_REG_7),
      add(BPF_REG_3, comm),
      call(BPF_FUNC_probe_read_str),  // before 5.9 what lies behind its end may be anything
      load(BPF_DW, BPF_REG_1, kSaid),
      load(BPF_DW, BPF_REG_2, kRead),
      skip_if_other(BPF_REG_1, BPF_REG_2, 4),
      load(BPF_DW, BPF_REG_1, kSaid + 8),
      load(BPF_DW, BPF_REG_2, kRead + 8),
      skip_if_other(BPF_REG_1, BPF_REG_2, 1),
      store(BPF_DW, kKey, same),
      // count it
      instruction(BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, counts),  // BPF_IMM is 0
      instruction(0, 0, 0, 0, 0),
      set(BPF_REG_2, BPF_REG_10),
      add(BPF_REG_2, kKey),
      call(BPF_FUNC_map_lookup_elem),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0),
      set_to(BPF_REG_1, 1),
      instruction(BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_0, BPF_REG_1, 0, BPF_ADD),
      set_to(BPF_REG_0, 0),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
}

std::uint64_t count(const Fd& counts, std::uint32_t which) {
  std::uint64_t value = 0;
  (void)bpf_map_lookup_elem(counts.get(), &which, &value);
  return value;
}

}  // namespace

bool is_of_another_kernel(const btf& types) {
  const auto tgid = offset_in_task(types, "tgid"), comm = offset_in_task(types, "comm");
  if (!tgid || !comm) return false;
  const Fd counts(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tapio_fit", sizeof(std::uint32_t),
                                 sizeof(std::uint64_t), counts_of_both, nullptr));
  const auto instructions = comparison(counts.get(), *tgid, *comm);
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "tapio_fit", "GPL",
                                 instructions.data(), instructions.size(), nullptr));
  if (!counts || !program) return false;
  const Fd link(bpf_raw_tracepoint_open(kHook, program.get()));
  if (!link) return false;
  for (int i = 0; i < kTries; ++i) (void)::syscall(SYS_gettid);
  // A name may change at just that moment.
  return count(counts, other) > count(counts, same);
}

}  // namespace tapio::capture

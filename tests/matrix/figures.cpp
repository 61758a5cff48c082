// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

#include <bpf/bpf.h>

#include <array>
#include <charconv>
#include <string>

namespace tapio::matrix {

namespace {

constexpr std::size_t kLogBytes = 64 * 1024;
constexpr std::uint32_t kLogStatistics = 4;  // BPF_LOG_STATS, include/linux/bpf_verifier.h

bpf_prog_info info_of(const bpf_program* program) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) return {};
  return info;
}

// "tp_btf/sched_process_exit": what programs with types are attached to; 0 for the others.
std::uint32_t type_id_of(const bpf_program* program) {
  if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING &&
      bpf_program__type(program) != BPF_PROG_TYPE_LSM)
    return 0;
  const std::string section = bpf_program__section_name(program);
  const int id = libbpf_find_vmlinux_btf_id(section.substr(section.find('/') + 1).c_str(),
                                            bpf_program__expected_attach_type(program));
  return id > 0 ? static_cast<std::uint32_t>(id) : 0;
}

std::optional<std::uint64_t> verify_again(const bpf_program* program) {
  std::string log(kLogBytes, '\0');
  LIBBPF_OPTS(bpf_prog_load_opts, options,
              .expected_attach_type = bpf_program__expected_attach_type(program),
              .attach_btf_id = type_id_of(program), .log_level = kLogStatistics,
              .log_size = kLogBytes, .log_buf = log.data());
  const Fd again(bpf_prog_load(bpf_program__type(program), "tapio_again", "GPL",
                               bpf_program__insns(program), bpf_program__insn_cnt(program),
                               &options));
  return again ? processed_in(log.c_str()) : std::nullopt;
}

}  // namespace

Fd count_runs() {
  return Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
}

Runs runs_of(const bpf_program* program) {
  const auto info = info_of(program);
  return {info.run_cnt, info.run_time_ns};
}

std::optional<std::uint64_t> verified_instructions(const bpf_program* program) {
  if (const auto info = info_of(program); info.verified_insns) return info.verified_insns;
  return verify_again(program);
}

std::optional<std::uint64_t> processed_in(std::string_view log) {
  constexpr std::string_view kBefore = "processed ";
  const auto at = log.rfind(kBefore);
  if (at == log.npos) return std::nullopt;
  log.remove_prefix(at + kBefore.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(log.data(), log.data() + log.size(), number);
  const bool whole =
      error == std::errc() && std::string_view(end, log.data() + log.size()).starts_with(" insns");
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace tapio::matrix

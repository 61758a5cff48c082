// SPDX-License-Identifier: Apache-2.0
#include "agent/kernel_support.hpp"

#include <gtest/gtest.h>

namespace tapio::agent {
namespace {

constexpr std::string_view kSupport = R"json({"kernels":[
  {"name":"5.10","release":"5.10.0-46-cloud-amd64","arch":"x86_64","date":"2026-11-25","programs":[
    {"observer":"process","hook":"trace","program":"trace_fentry","state":"unsupported",
     "reason":"needs fentry (attach: Function not implemented)"},
    {"observer":"process","hook":"trace","program":"trace_kprobe","state":"refused",
     "reason":"attach trace_kprobe: No such file"},
    {"observer":"process","hook":"ids","program":"ids_kprobe","state":"unsupported","reason":"x"},
    {"observer":"process","hook":"ids","program":"syscalls_btf","state":"fired"},
    {"observer":"process","hook":"exit","program":"exit_btf","state":"unsupported","reason":"x"},
    {"observer":"process","hook":"exit","program":"exit_raw","state":"fired"}]},
  {"name":"6.18","release":"6.18.15+deb13-cloud-amd64","arch":"x86_64","date":"d","programs":[
    {"observer":"process","hook":"trace","program":"trace_fentry","state":"attached"}]},
  {"name":"host","release":"6.18.44","arch":"x86_64","date":"d","programs":[
    {"observer":"process","hook":"trace","program":"trace_fentry","state":"refused",
     "reason":"load: Operation not permitted"}]}]})json";

constexpr capture::Candidate kCandidates[] = {
    {"syscalls_btf", capture::Feature::tp_btf, "observers.process.syscalls"}};

std::string about(std::string_view release, std::string_view hook,
                  std::string_view machine = "x86_64") {
  const auto support = serve::parse_json(kSupport);
  return support ? known_about(*support, {release, machine}, "process", hook, kCandidates)
                 : support.error().what;
}

TEST(KernelSupport, a_hook_that_no_kernel_of_this_version_serves_is_known_to_lack_something) {
  EXPECT_EQ(about("5.10.99-other", "trace"),
            "known: trace_fentry needs fentry (attach: Function not implemented) on 5.10 "
            "(5.10.0-46-cloud-amd64, 2026-11-25)");
}

TEST(KernelSupport, a_hook_that_worked_on_such_a_kernel_is_said_to_have_worked) {
  EXPECT_EQ(about("5.10.99-other", "exit"),
            "known: exit_raw fired on 5.10 (5.10.0-46-cloud-amd64, 2026-11-25); this kernel is "
            "built, configured or locked down otherwise");
}

TEST(KernelSupport, a_program_that_has_to_be_asked_for_is_told_with_its_setting) {
  EXPECT_EQ(about("5.10.0-46-cloud-amd64", "ids"),
            "known: syscalls_btf fired on 5.10 (5.10.0-46-cloud-amd64, 2026-11-25), with "
            "observers.process.syscalls: true");
}

TEST(KernelSupport, the_very_release_is_asked_before_others_of_its_version) {
  EXPECT_EQ(about("6.18.44", "trace"),
            "known: trace_fentry is refused: load: Operation not permitted on 6.18 (6.18.44, d)");
  EXPECT_TRUE(about("6.18.2", "trace").starts_with("known: trace_fentry attached on 6.18 (6.18.15"))
      << about("6.18.2", "trace");
}

TEST(KernelSupport, nothing_is_said_of_what_is_not_known) {
  EXPECT_EQ(about("5.1.0", "exit"), "");
  EXPECT_EQ(about("5.100.1", "exit"), "");
  EXPECT_EQ(about("5.10.0-46-cloud-amd64", "exit", "aarch64"), "");
  EXPECT_EQ(about("5.10.0", "bogus"), "");
  EXPECT_EQ(about("", ""), "");
}

TEST(KernelSupport, what_is_built_in_can_be_read_and_has_kernels) {
  const auto support = serve::parse_json(kernel_support());
  ASSERT_TRUE(support) << support.error().what;
  EXPECT_GT((*support)["kernels"].items().size(), 0u);
}

}  // namespace
}  // namespace tapio::agent

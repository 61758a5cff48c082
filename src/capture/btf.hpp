// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/btf.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

// The type information of the running kernel (BTF) that programs are fitted to when they are
// loaded. Where the kernel has none of its own, a file takes its place.
namespace tapio::capture {

using Types = std::unique_ptr<btf, Freed<btf__free>>;

struct Btf {
  enum class From : std::uint8_t {
    nowhere,
    kernel,   // its own: the only one by whose numbers typed programs can be attached
    disk,     // the kernel's image, in a place that libbpf knows
    setting,  // btf.path
  };
  From from = From::nowhere;
  std::string path{};     // "": nowhere
  std::string trouble{};  // why not from the kernel; nowhere: all that was tried
};

[[nodiscard]] std::string_view name(Btf::From from);
// "/boot/vmlinux-6.1.0-9-amd64, because /sys/kernel/btf/vmlinux: No such file or directory"; "none,
// because ...".
[[nodiscard]] std::string describe(const Btf& btf);
inline constexpr std::string_view kBtfAdvice =
    "set btf.path to the BTF of exactly this kernel, or take a kernel that was built with "
    "CONFIG_DEBUG_INFO_BTF; docs/kernels-without-btf.md says where to find it";

// Where the kernel has its own, and where libbpf looks next (btf__load_vmlinux_btf).
struct BtfPlaces {
  std::string own;
  std::vector<std::string> disk;
};
[[nodiscard]] BtfPlaces btf_places();

// The kernel's own wins: a file can at best say the same. Then `setting`, unless it is "", then
// what lies on the disk.
[[nodiscard]] Btf find_btf(const std::string& setting, const BtfPlaces& places = btf_places());

// BTF of a kernel, raw or the section .BTF of an ELF file; the error is a sentence that begins with
// the path. It does not say which kernel it is of.
[[nodiscard]] Result<Types> open_btf(const std::string& path);
constexpr std::uint64_t kMaxBtfBytes = 64 << 20;  // a kernel's has some 5 MB
constexpr std::uint64_t kMaxImageBytes = 4ull << 30;

// Tried for a moment with a program, so it takes the right to load one. false: they are the running
// kernel's as far as was seen, or it cannot be tried.
[[nodiscard]] bool is_of_another_kernel(const btf& types);

// Whether libbpf may follow every name and number in it: it does so without looking.
[[nodiscard]] bool is_sound(const btf& types);

}  // namespace tapio::capture

// SPDX-License-Identifier: Apache-2.0
#include "capture/kernel.hpp"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <span>
#include <sstream>

#include "base/fd.hpp"
#include "base/log.hpp"

namespace tapio::capture {

namespace {

constexpr std::array<FeatureName, 8> kFeatures = {{
    {Feature::btf, "btf", "type information, for programs that fit any kernel"},
    {Feature::ringbuf, "ringbuf", "one shared buffer in order; below it a perf buffer per CPU"},
    {Feature::raw_tp, "raw_tp", "raw tracepoints"},
    {Feature::tp_btf, "tp_btf", "typed tracepoints; below them raw ones"},
    {Feature::fentry, "fentry", "begin and end of kernel functions, typed; below them kprobes"},
    {Feature::kprobe, "kprobe", "begin and end of kernel functions, by breakpoint"},
    {Feature::skb_dynptr, "skb_dynptr", "all of a packet, for typed tracepoints; below it fentry"},
    {Feature::guarded_tp, "guarded_tp",
     "typed tracepoints never interrupt themselves, and count by plain adds; below it atomic ones"},
}};
constexpr const char* kAnyTracepoint = "sched_process_exit";
constexpr const char* kTypeOfAnyTracepoint = "btf_trace_sched_process_exit";
constexpr const char* kPacketBytes = "bpf_dynptr_from_skb";
constexpr const char* kTypeOfPacketTracepoint = "btf_trace_net_dev_queue";
constexpr const char* kGuard = "bpf_prog_inc_misses_counter";  // came with it: 05b24ff9b2cf (6.1)
constexpr const char* kAnyFunction = "commit_creds";
constexpr std::uint32_t kAnyOfV1 = 0;  // without BTF there is no program to look at it
constexpr const char* kLeftOut = "left out by TAPIO_WITHOUT";
constexpr const char* kNeedsOwnBtf = "it needs the BTF that the kernel itself shows";
constexpr const char* kKprobeType = "/sys/bus/event_source/devices/kprobe/type";
constexpr std::uint64_t kInitialPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO, proc_ns.h

std::string why() {
  return std::strerror(errno);
}

std::string make_ring() {
  const Fd ring(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "tapio_probe", 0, 0,
                               static_cast<unsigned>(::sysconf(_SC_PAGESIZE)), nullptr));
  return ring ? "" : why();
}

// Loads "return 0". A typed program on a tracepoint asks for the current task first, by the helper
// that knows its type (5.11): programs that read it by plain loads need that.
Fd load_nothing(bpf_prog_type type, bpf_attach_type attach_type, int btf_id) {
  const bpf_insn insns[] = {
      {.code = BPF_JMP | BPF_CALL,
       .dst_reg = 0,
       .src_reg = 0,
       .off = 0,
       .imm = BPF_FUNC_get_current_task_btf},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach_type,
              .attach_btf_id = static_cast<unsigned>(btf_id));
  const auto program = std::span(insns).subspan(attach_type == BPF_TRACE_RAW_TP ? 0 : 1);
  return Fd(bpf_prog_load(type, "tapio_probe", "GPL", program.data(), program.size(), &options));
}

// Attaches it for a moment.
std::string attach(bpf_prog_type type, bpf_attach_type attach_type, int btf_id,
                   const char* tracepoint) {
  const Fd program = load_nothing(type, attach_type, btf_id);
  if (!program) return "load: " + why();
  const Fd link(bpf_raw_tracepoint_open(tracepoint, program.get()));
  return link ? "" : "attach: " + why();
}

// What is attached by its number in the kernel's own BTF: that of a file would name something else.
std::string attach_by_id(const btf* own, const char* name, std::uint32_t kind,
                         bpf_attach_type attach_type) {
  if (!own) return kNeedsOwnBtf;
  const int id = btf__find_by_name_kind(own, name, kind);
  if (id <= 0) return fmt::format("the kernel's BTF has no {}", name);
  return attach(BPF_PROG_TYPE_TRACING, attach_type, id, nullptr);
}

// perf_event_open(2) with the type that the kernel gave to kprobes (4.17).
std::string set_breakpoint() {
  unsigned type = 0;
  if (!(std::ifstream(kKprobeType) >> type)) return std::string("no ") + kKprobeType;
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = type;
  attr.kprobe_func = std::bit_cast<std::uintptr_t>(kAnyFunction);
  const Fd program = load_nothing(BPF_PROG_TYPE_KPROBE, bpf_attach_type{}, 0);
  if (!program) return "load: " + why();
  const Fd event(
      static_cast<int>(::syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return "attach: " + why();
  return ::ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) ? "attach: " + why() : "";
}

// A typed program that asks for the bytes of its packet: the function is there from 6.4 on, and
// open to tracepoints from 6.12.
std::string read_packet(const btf* own) {
  if (!own) return kNeedsOwnBtf;
  const int function = btf__find_by_name_kind(own, kPacketBytes, BTF_KIND_FUNC);
  const int tracepoint = btf__find_by_name_kind(own, kTypeOfPacketTracepoint, BTF_KIND_TYPEDEF);
  if (function <= 0 || tracepoint <= 0) return fmt::format("the kernel has no {}", kPacketBytes);
  constexpr int kDynptrBytes = 16;
  const bpf_insn insns[] = {
      {.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1, .off = 0, .imm = 0},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 3, .src_reg = 10, .off = 0, .imm = 0},
      {.code = BPF_ALU64 | BPF_ADD | BPF_K,  // NOLINT(misc-redundant-expression): both are 0
       .dst_reg = 3,
       .src_reg = 0,
       .off = 0,
       .imm = -kDynptrBytes},
      {.code = BPF_JMP | BPF_CALL,
       .dst_reg = 0,
       .src_reg = BPF_PSEUDO_KFUNC_CALL,
       .off = 0,
       .imm = function},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
      {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
              .attach_btf_id = static_cast<unsigned>(tracepoint));
  const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "tapio_probe", "GPL", insns,
                                 std::size(insns), &options));
  return program ? "" : "load: " + why();
}

// Nothing that a program does shows it, for what the guard holds back does not run.
std::string find_guard(const btf* own) {
  if (!own) return kNeedsOwnBtf;
  return btf__find_by_name_kind(own, kGuard, BTF_KIND_FUNC) > 0
             ? ""
             : fmt::format("the kernel has no {}", kGuard);
}

std::vector<std::string> told_to_do_without() {
  std::vector<std::string> list;
  const char* without = std::getenv("TAPIO_WITHOUT");
  std::istringstream in(without ? without : "");
  for (std::string word; std::getline(in, word, ',');)
    if (!word.empty()) list.push_back(word);
  return list;
}

// `own`: the kernel's own BTF, or nullptr.
std::string try_feature(Feature feature, const Btf& found, const btf* own) {
  switch (feature) {
    case Feature::btf:
      return found.path.empty() ? found.trouble : "";
    case Feature::ringbuf:
      return make_ring();
    case Feature::raw_tp:
      return attach(BPF_PROG_TYPE_RAW_TRACEPOINT, bpf_attach_type{}, 0, kAnyTracepoint);
    case Feature::tp_btf:
      return attach_by_id(own, kTypeOfAnyTracepoint, BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP);
    case Feature::fentry:
      return attach_by_id(own, kAnyFunction, BTF_KIND_FUNC, BPF_TRACE_FENTRY);
    case Feature::kprobe:
      return set_breakpoint();
    case Feature::skb_dynptr:
      return read_packet(own);
    case Feature::guarded_tp:
      return find_guard(own);
    case Feature::none:
      break;
  }
  return "";
}

Types parse(const std::string& path) {
  return Types(btf__parse(path.c_str(), nullptr));
}

// Index in css_set.subsys, which depends on the kernel's configuration: from its BTF.
std::uint32_t subsystem_index(const btf& types, std::string_view controller) {
  const int id = btf__find_by_name_kind(&types, "cgroup_subsys_id", BTF_KIND_ENUM);
  if (id <= 0) return TAPIO_CGROUP_V2;
  const btf_type* type = btf__type_by_id(&types, static_cast<unsigned>(id));
  const std::string wanted = fmt::format("{}_cgrp_id", controller);
  for (int i = 0; i < btf_vlen(type); ++i)
    if (wanted == btf__name_by_offset(&types, btf_enum(type)[i].name_off))
      return static_cast<std::uint32_t>(btf_enum(type)[i].val);
  return TAPIO_CGROUP_V2;
}

// A v2 tree without controllers is systemd's hybrid mode: containers live in v1 there.
bool has_controllers(const std::string& v2_mount) {
  std::string controllers;
  std::getline(std::ifstream(v2_mount + "/cgroup.controllers"), controllers);
  return controllers.find("memory") != std::string::npos ||
         controllers.find("pids") != std::string::npos;
}

int to_debug_log(libbpf_print_level, const char* format, va_list arguments) {
  if (!log::enabled(log::Level::debug)) return 0;
  std::array<char, 512> line{};
  if (std::vsnprintf(line.data(), line.size(), format, arguments) > 0)
    log::write(log::Level::debug, line.data());
  return 0;
}

}  // namespace

void raise_memlock() {
  const rlimit all{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &all))
    log::warning(
        "RLIMIT_MEMLOCK cannot be raised ({}): below 5.11 loading may fail for it, later "
        "kernels do not look at it",
        why());
}

void log_at_debug_level() {
  ::libbpf_set_print(to_debug_log);
}

std::span<const FeatureName> feature_names() {
  return kFeatures;
}

std::string names(Feature features) {
  std::vector<std::string_view> list;
  for (const auto& known : kFeatures)
    if (covers(features, known.feature)) list.push_back(known.name);
  return fmt::format("{}", fmt::join(list, ", "));
}

Kernel probe(const std::string& btf_path) {
  Kernel kernel;
  const auto without = told_to_do_without();
  const auto left_out = [&](std::string_view name) {
    return std::ranges::count(without, name) > 0;
  };
  kernel.btf = left_out("btf") ? Btf{.trouble = kLeftOut} : find_btf(btf_path);
  const auto own = kernel.btf.from == Btf::From::kernel ? parse(kernel.btf.path) : nullptr;
  for (const auto& [feature, name, help] : kFeatures) {
    auto reason = left_out(name) ? kLeftOut : try_feature(feature, kernel.btf, own.get());
    if (reason.empty())
      kernel.features = kernel.features | feature;
    else
      kernel.missing.emplace(name, std::move(reason));
  }
  return kernel;
}

std::vector<std::string> unknown_in_without() {
  auto list = told_to_do_without();
  std::erase_if(list, [](const std::string& word) {
    return std::ranges::count(kFeatures, word, &FeatureName::name) > 0;
  });
  return list;
}

MountedHierarchies parse_mountinfo(std::string_view mountinfo) {
  MountedHierarchies found;
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    const auto dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::istringstream before(line.substr(0, dash)), after(line.substr(dash + 3));
    std::string id, parent, device, root, mount, type, source, options;
    before >> id >> parent >> device >> root >> mount;
    after >> type >> source >> options;
    if (type == "cgroup2" && found.v2.empty()) found.v2 = mount;
    if (type != "cgroup") continue;
    std::istringstream each(options);
    for (std::string option; std::getline(each, option, ',');) found.v1.emplace(option, mount);
  }
  return found;
}

Hierarchy find_hierarchy(const Btf& btf) {
  std::stringstream text;
  text << std::ifstream("/proc/self/mountinfo").rdbuf();
  const auto mounted = parse_mountinfo(text.str());
  if (!mounted.v2.empty() && (mounted.v1.empty() || has_controllers(mounted.v2)))
    return {.mount = mounted.v2};
  const auto types = btf.path.empty() ? nullptr : parse(btf.path);
  for (const std::string controller : {"memory", "pids"}) {
    const auto v1 = mounted.v1.find(controller);
    if (v1 == mounted.v1.end()) continue;
    const auto index = types ? subsystem_index(*types, controller) : kAnyOfV1;
    if (index != TAPIO_CGROUP_V2)
      return {.subsystem = index, .mount = v1->second, .name = "v1 " + controller};
  }
  return {.mount = mounted.v2};
}

bool is_cgroup_mount(const std::string& path) {
  struct statfs found{};
  return ::statfs(path.c_str(), &found) == 0 &&
         (found.f_type == CGROUP_SUPER_MAGIC || found.f_type == CGROUP2_SUPER_MAGIC);
}

std::uint64_t cgroup_id_of(int directory) {
  // FILEID_INO32_GEN of include/linux/exportfs.h, and FILEID_KERNFS: both are the 64 bits of the
  // id.
  constexpr int kInodeAndGeneration = 1, kKernfs = 0xfe;
  struct {
    file_handle head;
    std::uint64_t id;
  } handle{.head = {.handle_bytes = sizeof handle.id, .handle_type = 0}, .id = 0};
  static_assert(offsetof(decltype(handle), id) == sizeof(file_handle));
  int mount = 0;
  if (!::name_to_handle_at(directory, "", &handle.head, &mount, AT_EMPTY_PATH) &&
      handle.head.handle_bytes == sizeof handle.id &&
      (handle.head.handle_type == kInodeAndGeneration || handle.head.handle_type == kKernfs))
    return handle.id;
  struct stat status{};
  return ::fstat(directory, &status) ? 0 : status.st_ino;
}

PidNamespace own_pid_namespace() {
  struct stat ns{};
  if (::stat("/proc/self/ns/pid", &ns) || ns.st_ino == kInitialPidNamespace) return {};
  // The kernel compares with its own encoding of dev_t (include/linux/kdev_t.h).
  return {.dev = std::uint64_t{major(ns.st_dev)} << 20 | minor(ns.st_dev), .ino = ns.st_ino};
}

}  // namespace tapio::capture

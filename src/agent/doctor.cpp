// SPDX-License-Identifier: Apache-2.0
// Tries everything that the agent needs, and says what works, what does not, and what to do.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>

#include "agent/commands.hpp"
#include "agent/configuration.hpp"
#include "agent/kernel_support.hpp"
#include "agent/node.hpp"
#include "agent/privileges.hpp"
#include "agent/terminal.hpp"
#include "serve/client.hpp"
#include "serve/json.hpp"

namespace tapio::agent {

namespace {

using cli::Check;
using cli::Verdict;
using Checks = std::vector<Check>;

constexpr const char* kSeeBtf = "see btf above";

void check_capabilities(Checks& checks) {
  const auto effective = effective_capabilities();
  const auto missing = missing_capabilities(effective);
  if (missing.empty())
    checks.push_back({"privileges", Verdict::ok, "may load programs into the kernel"});
  else
    checks.push_back({"privileges", Verdict::denied,
                      fmt::format("lacks {}", fmt::join(missing, " and ")),
                      "run it as root, or give it these capabilities"});
  if (!(effective >> CAP_SYS_PTRACE & 1))
    checks.push_back({"privileges", Verdict::warning,
                      "lacks CAP_SYS_PTRACE: programs of processes that began before the agent and "
                      "belong to others are not known",
                      "give it CAP_SYS_PTRACE"});
  if (!(effective >> CAP_SYS_RESOURCE & 1))
    checks.push_back(
        {"privileges", Verdict::info,
         "lacks CAP_SYS_RESOURCE: RLIMIT_MEMLOCK cannot be raised, which matters below "
         "5.11 only"});
}

// `setting`: btf.path.
void check_btf(Checks& checks, const capture::Btf& btf, const std::string& setting) {
  if (btf.path.empty())
    checks.push_back({"btf", Verdict::warning, "none, so no program can be loaded: " + btf.trouble,
                      std::string(capture::kBtfAdvice)});
  else
    checks.push_back({"btf", Verdict::ok,
                      fmt::format("{}; from {}", capture::feature_names().front().help,
                                  capture::describe(btf))});
  if (setting.empty() || btf.path == setting) return;
  if (const auto types = capture::open_btf(setting); !types)
    checks.push_back({"btf.path", Verdict::problem, types.error().what,
                      "give the BTF of exactly this kernel, or leave the setting out"});
  else
    checks.push_back({"btf.path", Verdict::info, "not used: the kernel shows its own"});
}

void check_kernel(Checks& checks, const capture::Kernel& kernel) {
  utsname names{};
  ::uname(&names);
  checks.push_back({"kernel", Verdict::info, fmt::format("{} {}", names.release, names.machine)});
  for (const auto& [feature, name, help] : capture::feature_names()) {
    if (feature == capture::Feature::btf) continue;  // see check_btf()
    const auto missing = kernel.missing.find(std::string(name));
    if (missing != kernel.missing.end() && !check_privileges())
      checks.push_back({std::string(name), Verdict::info, "not known: trying it is not permitted"});
    else if (missing == kernel.missing.end())
      checks.push_back({std::string(name), Verdict::ok, std::string(help)});
    else
      checks.push_back({std::string(name), Verdict::warning, "missing: " + missing->second,
                        "an older way is taken where there is one, see the hooks below"});
  }
  for (const auto& unknown : capture::unknown_in_without())
    checks.push_back({"TAPIO_WITHOUT", Verdict::warning, "names no feature: " + unknown,
                      "take one of the names above"});
}

std::string first_line(const char* path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line;
}

void check_surroundings(Checks& checks, const capture::Kernel& kernel) {
  if (first_line("/proc/sys/net/core/bpf_jit_enable") == "0")
    checks.push_back({"jit", Verdict::warning, "programs are interpreted, which is slow",
                      "set the sysctl net.core.bpf_jit_enable to 1"});
  else
    checks.push_back({"jit", Verdict::ok, "programs are compiled"});
  const auto hierarchy = capture::find_hierarchy(kernel.btf);
  if (hierarchy.mount.empty())
    checks.push_back({"cgroups", Verdict::warning, "no cgroup file system is mounted",
                      "mount one: containers are told apart by it"});
  else
    checks.push_back(
        {"cgroups", Verdict::ok, fmt::format("{} at {}", hierarchy.name, hierarchy.mount)});
  if (capture::own_pid_namespace().ino)
    checks.push_back({"pid namespace", Verdict::warning,
                      "not the initial one: processes that began before the agent are not known",
                      "run it in the host's pid namespace (hostPID: true)"});
  else
    checks.push_back({"pid namespace", Verdict::ok, "the initial one"});
  if (::access("/sys/kernel/tracing/events", F_OK) && ::access("/sys/kernel/debug/tracing", F_OK))
    checks.push_back({"tracefs", Verdict::info, "not mounted; no program needs it yet"});
}

bool agent_answers(Checks& checks, const std::string& socket) {
  const auto answer = serve::ask(socket, {.command = serve::Command::status});
  if (!answer) {
    checks.push_back({"agent", Verdict::info, fmt::format("none answers on {}", socket)});
    return false;
  }
  const auto status = serve::parse_json(*answer);
  checks.push_back({"agent", Verdict::ok,
                    status ? fmt::format("pid {} answers on {}", (*status)["pid"].integer(), socket)
                           : "answers, but not in JSON"});
  return true;
}

Verdict verdict_of(Fault fault) {
  if (fault == Fault::denied) return Verdict::denied;
  return fault == Fault::unsupported ? Verdict::unsupported : Verdict::problem;
}

// What the kernel matrix knows of a hook that nothing serves here.
std::string known(const Descriptor& observer, const capture::Hook& hook) {
  utsname running{};
  ::uname(&running);
  const auto support = serve::parse_json(kernel_support());
  return support ? known_about(*support, {running.release, running.machine}, observer.name,
                               hook.name, hook.candidates)
                 : "";
}

std::string known(std::string_view observer, std::string_view hook) {
  for (const auto* each : observers())
    for (const auto& its : each->hooks)
      if (each->name == observer && its.name == hook) return known(*each, its);
  return "";
}

// Of an observer that did not start: the required hook that its reason names.
std::string known_of_failed(const Node::ObserverState& failed) {
  for (const auto* observer : observers())
    for (const auto& hook : observer->hooks)
      if (observer->name == failed.name &&
          failed.reason.find(fmt::format("{}: ", hook.name)) != std::string::npos)
        return known(*observer, hook);
  return "";
}

// Loads and attaches everything for a moment, beside an agent that may run.
void check_hooks(Checks& checks, const config::Tree& configuration) {
  auto node = Node::start({.configuration = configuration,
                           .socket = "",
                           .configured_sinks = false,
                           .canary_song = own_canary()});
  if (!node) {
    checks.push_back({"observers", verdict_of(node.error().fault), node.error().what});
    return;
  }
  const bool blinded = (*node)->btf().path.empty();
  for (const auto& observer : (*node)->observer_states()) {
    const bool fine =
        observer.state == "on" || observer.state == "off" || observer.state == "provider";
    checks.push_back(
        {fmt::format("observer {}", observer.name),
         fine                              ? Verdict::ok
         : observer.state == "unsupported" ? Verdict::unsupported
         : observer.state == "denied"      ? Verdict::denied
                                           : Verdict::problem,
         observer.reason.empty() ? observer.state : observer.state + ": " + observer.reason,
         fine      ? ""
         : blinded ? kSeeBtf
                   : known_of_failed(observer)});
  }
  for (const auto& hook : (*node)->hooks()) {
    const bool fine = hook.canary == "seen" || hook.canary.starts_with("passive");
    checks.push_back({fmt::format("hook {}", hook.hook),
                      fine                   ? Verdict::ok
                      : hook.program.empty() ? Verdict::warning
                                             : Verdict::problem,
                      hook.program.empty()
                          ? hook.canary
                          : fmt::format("{}, canary {}", hook.program, hook.canary),
                      fine                   ? ""
                      : blinded              ? kSeeBtf
                      : hook.program.empty() ? known(hook.observer, hook.hook)
                                             : "it is attached and blind: report this"});
  }
}

}  // namespace

cli::DoctorReport Commands::doctor(const config::Tree& configuration, const std::string& socket) {
  cli::DoctorReport report;
  check_capabilities(report.checks);
  capture::log_at_debug_level();
  const auto& setting = configuration.at("btf").as<BtfConfig>().path;
  const auto kernel = capture::probe(setting);
  check_btf(report.checks, kernel.btf, setting);
  check_kernel(report.checks, kernel);
  check_surroundings(report.checks, kernel);
  agent_answers(report.checks, socket);
  if (check_privileges()) check_hooks(report.checks, configuration);
  return report;
}

}  // namespace tapio::agent

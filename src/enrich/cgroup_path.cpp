// SPDX-License-Identifier: Apache-2.0
#include "enrich/cgroup_path.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

namespace tapio {
namespace {

constexpr std::size_t kIdDigits = 64;
constexpr std::size_t kMaxUnitName = 255;  // UNIT_NAME_MAX - 1, systemd's unit-name.h

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_container_id(std::string_view text) {
  return text.size() == kIdDigits && is_hex(text);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

struct Container {
  std::string_view runtime, id;
};

enum class Scope : std::uint8_t { always, optional };
struct Naming {
  std::string_view prefix, runtime;
  Scope scope;
};
// Where the names are made: moby daemon/oci_linux.go; containerd internal/cri/server (systemd
// driver); cri-o internal/config/cgmgr, both drivers; podman libpod/oci_conmon_linux.go and, with
// --cgroups=split, libpod/container_internal_linux.go; nerdctl pkg/cmd/container.
constexpr Naming kNamings[] = {
    {"docker-", "docker", Scope::always},
    {"cri-containerd-", "containerd", Scope::always},
    {"crio-", "cri-o", Scope::optional},
    {"libpod-", "podman", Scope::optional},
    {"libpod-payload-", "podman", Scope::optional},
    {"nerdctl-", "containerd", Scope::always},
};

// "docker-ID.scope" and its like.
std::optional<Container> named_container(std::string_view name) {
  const bool scope = take_suffix(name, ".scope");
  for (const Naming& naming : kNamings) {
    auto rest = name;
    if (!take_prefix(rest, naming.prefix) || !is_container_id(rest)) continue;
    if (scope || naming.scope == Scope::optional) return Container{naming.runtime, rest};
  }
  return std::nullopt;
}

// "kubepods-pod….slice:cri-containerd:ID": what runc makes of a path for systemd when it is told
// not to use systemd (opencontainers/runc, specconv: slice:prefix:name).
std::optional<Container> unparsed_container(std::string_view name) {
  const auto id_at = name.rfind(':');
  if (id_at == name.npos || !is_container_id(name.substr(id_at + 1))) return std::nullopt;
  auto prefix = name.substr(0, id_at);
  const auto prefix_at = prefix.rfind(':');
  if (prefix_at == prefix.npos || !prefix.substr(0, prefix_at).ends_with(".slice"))
    return std::nullopt;
  prefix.remove_prefix(prefix_at + 1);
  for (const Naming& naming : kNamings)
    if (naming.prefix.size() == prefix.size() + 1 && naming.prefix.starts_with(prefix))
      return Container{naming.runtime, name.substr(id_at + 1)};
  return std::nullopt;
}

// A uid of the API server, 8-4-4-4-12 digits with `dash` between, or 32 digits: the hash that the
// kubelet gives a pod from a file (kubelet/config/common.go).
bool is_pod_uid(std::string_view text, char dash) {
  static constexpr std::array<std::size_t, 4> kDashes = {8, 13, 18, 23};
  static constexpr std::size_t kUuid = 36, kHash = 32;
  if (text.size() == kHash) return is_hex(text);
  if (text.size() != kUuid) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool here = std::ranges::find(kDashes, i) != kDashes.end();
    if (here ? text[i] != dash : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

constexpr std::string_view kGuaranteed = "Guaranteed", kBurstable = "Burstable",
                           kBestEffort = "BestEffort";

struct Pod {
  std::string uid;
  std::string_view qos;
};

// "kubepods-burstable-pod01ab…_….slice", with what the kubelet's --cgroup-root is called before it
// (kubelet/cm/pod_container_manager_linux.go; systemd wants a slice to be named after its parents).
std::optional<Pod> pod_of_slice(std::string_view name) {
  if (!take_suffix(name, ".slice")) return std::nullopt;
  const auto at = name.rfind("-pod");
  if (at == name.npos || !is_pod_uid(name.substr(at + 4), '_')) return std::nullopt;
  Pod pod{std::string(name.substr(at + 4)), kGuaranteed};
  std::ranges::replace(pod.uid, '_', '-');
  name = name.substr(0, at);
  if (take_suffix(name, "-burstable"))
    pod.qos = kBurstable;
  else if (take_suffix(name, "-besteffort"))
    pod.qos = kBestEffort;
  if (name != "kubepods" && !name.ends_with("-kubepods")) return std::nullopt;
  return pod;
}

constexpr std::array<std::string_view, 5> kUnitTypes = {".service", ".scope", ".socket", ".mount",
                                                        ".swap"};

// unit_name_is_valid() of systemd, for those types whose processes have a cgroup of their own. No
// template: such a unit does not run.
bool is_unit(std::string_view name) {
  if (name.size() > kMaxUnitName) return false;
  const auto type =
      std::ranges::find_if(kUnitTypes, [&](std::string_view t) { return name.ends_with(t); });
  if (type == kUnitTypes.end()) return false;
  name.remove_suffix(type->size());
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").contains(c);
  };
  return !name.empty() && name.front() != '@' && name.back() != '@' &&
         std::ranges::all_of(name, good);
}

// "user@1000.service": the systemd of a user.
bool is_user_manager(std::string_view unit) {
  return take_prefix(unit, "user@") && take_suffix(unit, ".service") && !unit.empty() &&
         std::ranges::all_of(unit, [](char c) { return c >= '0' && c <= '9'; });
}

// Goes down a path, one name after another.
class Walk {
 public:
  void enter(std::string_view name) {
    if (name.empty() || name == "." || name == ".." || name == "…") return;
    if (const auto container = container_at(name))
      begin_container(*container);
    else if (auto pod = pod_at(name))
      begin_pod(std::move(*pod), name);
    else
      enter_unit(name);
    grandparent_ = std::exchange(parent_, name);
    depth_++;
  }
  [[nodiscard]] CgroupIdentity found() const { return found_; }

 private:
  // Which systemd's units the next name may be one of; slices keep it so.
  enum class Units : std::uint8_t { none, system, user };

  [[nodiscard]] std::optional<Container> container_at(std::string_view name) const {
    if (const auto named = named_container(name)) return named;
    if (const auto unparsed = unparsed_container(name)) return unparsed;
    if (!is_container_id(name)) return std::nullopt;
    if (in_pod_directory_) return Container{"", name};
    if (parent_ == "docker") return Container{"docker", name};
    // ctr and nerdctl: /NAMESPACE/ID; namespaces may be called anything, this is their default.
    if (parent_ == "default" && depth_ == 1) return Container{"containerd", name};
    return std::nullopt;
  }

  // "kubepods/burstable/pod01ab…": with the driver cgroupfs the path is the tree of names itself.
  [[nodiscard]] std::optional<Pod> pod_at(std::string_view name) const {
    if (auto pod = pod_of_slice(name)) return pod;
    if (!take_prefix(name, "pod") || !is_pod_uid(name, '-')) return std::nullopt;
    if (parent_ == "kubepods") return Pod{std::string(name), kGuaranteed};
    if (grandparent_ != "kubepods") return std::nullopt;
    if (parent_ == "burstable") return Pod{std::string(name), kBurstable};
    if (parent_ == "besteffort") return Pod{std::string(name), kBestEffort};
    return std::nullopt;
  }

  void begin_container(const Container& container) {
    found_.runtime = container.runtime;
    found_.container_id = container.id;
    units_ = Units::system;  // it may run a systemd
    in_pod_directory_ = false;
  }

  void begin_pod(Pod pod, std::string_view name) {
    found_.pod_uid = std::move(pod.uid);
    found_.qos = pod.qos;
    found_.runtime = found_.container_id = {};
    in_pod_directory_ = !name.ends_with(".slice");
    units_ = Units::none;
  }

  // cg_path_get_unit() and cg_path_get_user_unit() of systemd: slices, then the unit. What lies
  // below a unit is the unit's own.
  void enter_unit(std::string_view name) {
    in_pod_directory_ = false;
    if (name.ends_with(".slice")) return;
    if (name == "container" && !found_.container_id.empty()) return;  // podman's, in its scope
    if (name.starts_with('_')) name.remove_prefix(1);  // cg_escape(): else it looked like a file
    const bool unit = is_unit(name) && !is_conmon(name);
    if (unit && units_ == Units::user) found_.user_unit = name;
    const bool of_system = unit && units_ == Units::system;
    if (of_system) {
      found_.unit = name;
      found_.user_unit = {};
    }
    units_ = of_system && is_user_manager(name) ? Units::user : Units::none;
  }

  // The monitor of a container, in a scope that its runtime made.
  static bool is_conmon(std::string_view name) {
    return name.starts_with("crio-conmon-") || name.starts_with("libpod-conmon-");
  }

  CgroupIdentity found_;
  std::string_view parent_, grandparent_;
  std::size_t depth_ = 0;
  Units units_ = Units::system;
  bool in_pod_directory_ = false;  // the driver cgroupfs: a bare id is a container of the pod
};

}  // namespace

CgroupIdentity identify_cgroup(std::string_view path) {
  Walk walk;
  while (!path.empty()) {
    const auto name = path.substr(0, path.find('/'));
    walk.enter(name);
    path.remove_prefix(std::min(path.size(), name.size() + 1));
  }
  return walk.found();
}

}  // namespace tapio

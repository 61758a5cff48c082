// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/settings.hpp"
#include "cri_runtime.hpp"

namespace tapio::cri {

struct Config {
  static constexpr std::size_t kMaxSockets = 8;

  bool enabled = true;
  std::vector<std::string> sockets;
  std::chrono::milliseconds timeout{1000};
  std::chrono::milliseconds wait{250};
  std::chrono::milliseconds interval{10'000};
  std::uint32_t lookups_per_second = 100;
  std::vector<std::string> skip_namespaces;
  bool pause = false;
  bool labels = false;

  [[nodiscard]] Status check() const {
    if (sockets.size() > kMaxSockets)
      return invalid("sockets: give eight of them at most, like [/run/containerd/containerd.sock]");
    if (!std::ranges::all_of(sockets, [](const std::string& socket) {
          return socket_of(socket).path.starts_with('/');
        }))
      return invalid("sockets: each is a path, or cri: or docker: and a path");
    return {};
  }

  static constexpr auto settings() {
    using std::chrono::milliseconds;
    return std::tuple{
        Setting{"enabled", &Config::enabled, "Ask container runtimes for names."},
        Setting{"sockets", &Config::sockets,
                "Where runtimes listen, like [/run/containerd/containerd.sock]. One whose name has "
                "docker or podman in it speaks Docker's API, others CRI; docker: or cri: in front "
                "says so. Empty: where they usually are."},
        Setting{"timeout", &Config::timeout,
                "A runtime that has not answered until then is not waited for, until it does.",
                milliseconds(50), milliseconds(30'000)},
        Setting{"wait", &Config::wait,
                "Records of a new container wait at most so long for its name. 0ms: not at all.",
                milliseconds(0), milliseconds(250)}
            .on_reload(),
        Setting{"interval", &Config::interval,
                "How often all containers are listed; what a runtime tells of its own accord is "
                "known at once.",
                milliseconds(1000), milliseconds(3'600'000)},
        Setting{"lookups_per_second", &Config::lookups_per_second,
                "Single containers that a runtime is asked for in one second.", 1u, 10'000u},
        Setting{"skip_namespaces", &Config::skip_namespaces,
                "Of pods in these namespaces there is no cri.container. Their names are in other "
                "records all the same."}
            .on_reload(),
        Setting{"pause", &Config::pause,
                "Tell of the sandboxes of pods too, which are pause containers."}
            .on_reload(),
        Setting{"labels", &Config::labels,
                "Put labels into cri.container: of pods those of the pod. They may say more than "
                "you want to hand on."},
    };
  }
};

}  // namespace tapio::cri

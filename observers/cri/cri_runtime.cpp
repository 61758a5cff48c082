// SPDX-License-Identifier: Apache-2.0
#include "cri_runtime.hpp"

#include <algorithm>
#include <utility>

namespace tapio::cri {

void Meter::count(std::string_view method, std::chrono::nanoseconds took, bool failed) {
  auto found = methods_.find(method);
  if (found == methods_.end()) found = methods_.emplace(method, Method{}).first;
  Method& its = found->second;
  its.count++;
  its.errors += failed;
  its.longest = std::max(its.longest, took);
  if (its.durations.size() < kMaxDurations) its.durations.push_back(took);
  calls_++;
  failures_ += failed;
}

std::vector<Calls> Meter::take() {
  std::vector<Calls> all;
  for (auto& [name, method] : std::exchange(methods_, {})) {
    auto& durations = method.durations;
    std::ranges::sort(durations);
    const auto at = [&](double level) {
      return durations[static_cast<std::size_t>(level * static_cast<double>(durations.size() - 1))];
    };
    all.push_back({.method = name,
                   .count = method.count,
                   .errors = method.errors,
                   .median = at(0.5),
                   .p99 = at(0.99),
                   .longest = method.longest});
  }
  return all;
}

Socket socket_of(std::string_view text) {
  using enum Socket::Speaks;
  for (const auto& [word, speaks] : {std::pair{"cri:", cri}, std::pair{"docker:", docker}})
    if (text.starts_with(word))
      return {speaks, std::string(text.substr(std::string_view(word).size()))};
  const auto name = text.substr(text.rfind('/') + 1);
  const bool is_docker = (name.contains("docker") || name.contains("podman")) &&
                         !name.contains("cri");  // cri-dockerd speaks CRI
  return {is_docker ? docker : cri, std::string(text)};
}

Result<std::unique_ptr<Runtime>> make_runtime(const Socket& socket, const Asking& asking) {
  return socket.speaks == Socket::Speaks::cri ? make_cri(socket.path, asking)
                                              : make_docker(socket.path, asking);
}

}  // namespace tapio::cri

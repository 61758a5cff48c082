// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cri_told.hpp"

namespace tapio::cri {

struct Image {
  std::string id;    // "sha256:..."
  std::string name;  // its first tag, else its first digest; "": it has none
  std::uint64_t bytes = 0;
};

// What a runtime says of its own accord.
struct Heard {
  enum class What : std::uint8_t { container, image } what{};
  std::string id;      // of the container
  bool began = false;  // its runtime may not know it yet when it is asked at once
};

struct Version {
  std::string name;  // "containerd", "cri-o", "docker", "podman"
  std::string version;
};

// How long calls take, by method.
class Meter {
 public:
  static constexpr std::size_t kMaxDurations = 1024;  // of one method, in an interval

  void count(std::string_view method, std::chrono::nanoseconds took, bool failed);
  // All since the last time.
  [[nodiscard]] std::vector<Calls> take();
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; }

 private:
  struct Method {
    std::uint64_t count = 0, errors = 0;
    std::chrono::nanoseconds longest{};
    std::vector<std::chrono::nanoseconds> durations;  // the first kMaxDurations
  };
  std::map<std::string, Method, std::less<>> methods_;  // as many as there are names in the code
  std::uint64_t calls_ = 0, failures_ = 0;
};

// One runtime behind one socket, asked in one thread. Each call waits for the answer, at most as
// long as it was told when it was made. Faults: unavailable, denied; unsupported: it answers, but
// does not know what we ask; invalid: what it answers cannot be read.
class Runtime {
 public:
  static constexpr std::size_t kMaxContainers = 16'384;  // of a list; more of them are not seen
  static constexpr std::size_t kMaxImages = 16'384;

  virtual ~Runtime() = default;
  [[nodiscard]] virtual Result<Version> version(const std::stop_token& stop) = 0;
  // Containers and sandboxes. Without exit codes and reasons, where only the status has them.
  [[nodiscard]] virtual Result<std::vector<Described>> list(const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<std::vector<Image>> images(const std::stop_token& stop) = 0;
  // All that it says of one of them; nothing: it does not know it.
  [[nodiscard]] virtual Result<std::optional<Described>> status(const std::string& id,
                                                                const std::stop_token& stop) = 0;
  // Until it ends, or a stop is asked for. unsupported: it says nothing of its own accord.
  using OnHeard = std::function<void(const Heard&)>;
  virtual Status listen(const OnHeard& on_heard, const std::stop_token& stop) = 0;
};

struct Socket {
  enum class Speaks : std::uint8_t { cri, docker } speaks{};
  std::string path;
  bool operator==(const Socket&) const = default;
};

// "/run/x.sock", or "cri:/run/x.sock", "docker:/run/x.sock". Without a word in front, one whose
// name says docker or podman speaks Docker's API, any other one CRI.
[[nodiscard]] Socket socket_of(std::string_view text);

struct Asking {
  std::chrono::milliseconds time{1000};  // of one call
  bool labels = false;
  Meter* meter = nullptr;  // outlives the runtime
};
using MakeRuntime =
    std::function<Result<std::unique_ptr<Runtime>>(const Socket& socket, const Asking& asking)>;
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_runtime(const Socket& socket,
                                                            const Asking& asking);
// Each of its kind.
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_cri(const std::string& path,
                                                        const Asking& asking);
[[nodiscard]] Result<std::unique_ptr<Runtime>> make_docker(const std::string& path,
                                                           const Asking& asking);

}  // namespace tapio::cri

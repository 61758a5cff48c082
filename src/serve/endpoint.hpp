// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace tapio::serve {

// A unix socket at a path that nobody else listens on. The lock `<path>.lock` is held as long as it
// lives, and is what makes two agents that start at once see one another; it stays behind, empty.
// What a killed agent left is replaced.
class Endpoint {
 public:
  // Members of `group` may connect too, if this process may allow it; else its own user and root.
  static Result<Endpoint> open(std::string path, std::optional<gid_t> group);
  Endpoint(Endpoint&&) = default;
  Endpoint& operator=(Endpoint&&) = delete;
  ~Endpoint();

  [[nodiscard]] int listener() const { return listener_.get(); }  // does not block

 private:
  Endpoint(Fd lock, Fd listener, std::string path, dev_t device, ino_t inode)
      : lock_(std::move(lock)),
        listener_(std::move(listener)),
        path_(std::move(path)),
        device_(device),
        inode_(inode) {}

  Fd lock_;  // first: goes last
  Fd listener_;
  std::string path_;
  dev_t device_;  // of the socket file, which is removed only while it is still ours
  ino_t inode_;
};

// Connects; gives up when the listener does not take the connection within the socket's send
// timeout, which is also set for what follows.
[[nodiscard]] Result<Fd> connect_to(const std::string& path, int timeout_seconds);

}  // namespace tapio::serve

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace tapio::serve {

// Who is at the other end of a connected unix socket, as the kernel knows.
struct Peer {
  pid_t pid = 0;  // 0: in no pid namespace of ours
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary
};

[[nodiscard]] Result<Peer> peer_of(int socket);

// Of the process that listens, for one that has connected; 0: not visible from here.
[[nodiscard]] pid_t pid_of_listener(int connected);

[[nodiscard]] std::optional<gid_t> find_group(const std::string& name);

// Root, the agent's own user, and members of the group.
[[nodiscard]] bool is_admitted(const Peer& peer, uid_t own, std::optional<gid_t> group);
// Root and the agent's own user.
[[nodiscard]] bool is_owner(const Peer& peer, uid_t own);

}  // namespace tapio::serve

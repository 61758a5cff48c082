// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "bpf/abi.h"
#include "facts/process.hpp"

// What to make of two sets of credentials of one process.
namespace tapio::process {

// PROC_USER_INIT_INO, include/linux/proc_ns.h
inline constexpr std::uint64_t kInitialUserNamespace = 0xEFFFFFFD;

[[nodiscard]] Credentials credentials_of(const tapio_credentials& c);

// A user namespace that is not known is taken for the same.
[[nodiscard]] bool differ(const Credentials& before, const Credentials& after);

// As CredentialsChanged::gained says. Who enters a user namespace of its own has all capabilities
// there and none outside, so that never counts.
[[nodiscard]] bool gained(const Credentials& before, const Credentials& after);

// An exec changes effective ids only when the file has the set-user-ID or set-group-ID bit, and
// real ids and the user namespace never (execve(2), capabilities(7)): what else is different then
// had changed before.
[[nodiscard]] CredentialsVia found_at_exec(const Credentials& before, const Credentials& after,
                                           bool set_id_file);

// S_ISUID, or S_ISGID with the right to execute for the group: without it that means a lock.
[[nodiscard]] bool is_set_id(std::uint32_t file_mode);

}  // namespace tapio::process

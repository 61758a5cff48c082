// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cri_runtime.hpp"

// The messages of CRI and of containerd's events, out of bytes and into bytes. Faults are
// `invalid`: they are no such message.
namespace tapio::cri::messages {

[[nodiscard]] std::string status_request(std::string_view container);
[[nodiscard]] std::string sandbox_request(std::string_view sandbox);
[[nodiscard]] std::string list_request(std::string_view container);  // "": all
[[nodiscard]] std::string subscribe_request();                       // what Heard can be made of

[[nodiscard]] Result<Version> version(std::string_view bytes);
// Of all of them at most Runtime::kMaxContainers. Its labels are the pod's, on sandboxes alone.
[[nodiscard]] Result<std::vector<Described>> containers(std::string_view bytes);
[[nodiscard]] Result<std::vector<Described>> sandboxes(std::string_view bytes);
[[nodiscard]] Result<Described> container(std::string_view bytes);
[[nodiscard]] Result<Described> sandbox(std::string_view bytes);
[[nodiscard]] Result<std::vector<Image>> images(std::string_view bytes);

// Of GetContainerEvents and of containerd's events; nothing: it is not about what is wanted.
[[nodiscard]] std::optional<Heard> cri_event(std::string_view bytes);
[[nodiscard]] std::optional<Heard> containerd_event(std::string_view bytes);

}  // namespace tapio::cri::messages

namespace tapio::cri {

// As Tapio knows containers: 64 hexadecimal digits.
[[nodiscard]] bool is_id(std::string_view text);
// At most that many bytes, and no half of a character.
[[nodiscard]] std::string cut(std::string_view text, std::size_t most = kMaxName);
// "a=b,c=d", at most kMaxLabels bytes; without those that only repeat what is known anyway.
[[nodiscard]] std::string text_of(const std::map<std::string, std::string>& labels);

// What the kubelet says of a container by labels.
inline constexpr std::string_view kPodName = "io.kubernetes.pod.name";
inline constexpr std::string_view kPodNamespace = "io.kubernetes.pod.namespace";
inline constexpr std::string_view kPodUid = "io.kubernetes.pod.uid";
inline constexpr std::string_view kContainerName = "io.kubernetes.container.name";

}  // namespace tapio::cri

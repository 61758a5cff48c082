// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "capture/plan.hpp"

namespace tapio::dns {

inline constexpr auto kTyped = capture::Feature::btf | capture::Feature::tp_btf;
inline constexpr auto kRaw = capture::Feature::btf | capture::Feature::raw_tp;

// What TCP carries is in pages behind a packet, which few programs may read. The object dns_dynptr
// has those that need skb_dynptr: each is a program of two hooks.
inline constexpr auto kWholePackets = kTyped | capture::Feature::skb_dynptr;
inline constexpr auto kFunctions = capture::Feature::btf | capture::Feature::fentry;
inline constexpr capture::Candidate kPacketSent{"packet_sent_btf", kWholePackets},
    kPacketReceived{"packet_received_btf", kWholePackets};

inline constexpr capture::Candidate kSendPrograms[] = {
    kPacketSent, {"sent_btf", kTyped}, {"sent_raw", kRaw}};
inline constexpr capture::Candidate kReceivePrograms[] = {
    kPacketReceived, {"received_btf", kTyped}, {"received_raw", kRaw}};
inline constexpr capture::Candidate kTcpSendPrograms[] = {kPacketSent,
                                                          {"tcp_sent_fentry", kFunctions}};
inline constexpr capture::Candidate kTcpReceivePrograms[] = {kPacketReceived,
                                                             {"tcp_received_fexit", kFunctions}};
inline constexpr capture::Candidate kTcpOpenPrograms[] = {{"tcp_opened_btf", kTyped},
                                                          {"tcp_opened_raw", kRaw}};

// Every process that resolves a name pays for it: on demand.
inline constexpr const char* kLibrary = "observers.dns.library";
inline constexpr capture::Candidate kCallPrograms[] = {
    {"call_uprobe", capture::Feature::btf, kLibrary}};
inline constexpr capture::Candidate kReturnPrograms[] = {
    {"call_uretprobe", capture::Feature::btf, kLibrary}};

// In the order of enum tapio_dns_hook. Passive: a canary would have to ask somebody's name server.
inline constexpr capture::Hook kHooks[] = {
    {"send", capture::Need::required, capture::Trigger::passive, kSendPrograms},
    {"receive", capture::Need::required, capture::Trigger::passive, kReceivePrograms},
    {"tcp_send", capture::Need::optional, capture::Trigger::passive, kTcpSendPrograms},
    {"tcp_receive", capture::Need::optional, capture::Trigger::passive, kTcpReceivePrograms},
    {"tcp_open", capture::Need::optional, capture::Trigger::passive, kTcpOpenPrograms},
    {"call", capture::Need::optional, capture::Trigger::passive, kCallPrograms},
    {"return", capture::Need::optional, capture::Trigger::passive, kReturnPrograms},
};

}  // namespace tapio::dns

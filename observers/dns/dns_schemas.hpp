// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/finding.hpp"
#include "record/record.hpp"
#include "record/view.hpp"

// What the observer reports. Names are OpenTelemetry's (registries "dns", "client", "server" and
// "network") where it has one. The process is who asked; where the role is "server", who answered.
namespace tapio::dns {

inline constexpr SchemaOf kQuery{
    "dns.query",
    Kind::event,
    "A DNS question, and what came of it. The time is that of the answer.",
    Field{"dns.question.name", Type::text, "As it was asked, case kept; odd bytes as \\DDD.",
          "NAME"},
    Field{"dns.question.type", Type::text, "A, AAAA, HTTPS...", "TYPE"},
    Field{"dns.question.class", Type::text, "IN, mostly."},
    Field{
        "dns.outcome", Type::text,
        "answered; unanswered: nothing came in time; unknown: an answer may have been lost here."},
    Field{"dns.response_code", Type::text, "NOERROR, NXDOMAIN... Missing without an answer.",
          "RCODE"},
    Field{"dns.lookup.duration", Type::duration, "From the first query with this id to its answer.",
          "LATENCY", "s"},
    Field{"dns.answers", Type::texts, "The addresses that were answered.", "ANSWERS"},
    Field{"dns.answer.records", Type::texts,
          "All records of the answer, at most 32: name, time to live, type, data."},
    Field{"dns.answer.count", Type::u64, "How many there are, as the answer says.", {}, "1"},
    Field{"dns.answer.ttl",
          Type::duration,
          "How long it may be kept: the least of its records, or that of the zone when there is "
          "none.",
          {},
          "s"},
    Field{"dns.header_flags", Type::texts, "Of the answer: aa, tc, rd, ra, ad, cd."},
    Field{"server.address", Type::text, "Who was asked.", "SERVER"},
    Field{"server.port", Type::u64, "Its port."},
    Field{"client.address", Type::text, "Who asked."},
    Field{"client.port", Type::u64, "Its port."},
    Field{"network.transport", Type::text, "udp or tcp."},
    Field{"network.type", Type::text, "ipv4 or ipv6."},
    Field{"network.interface.name", Type::text,
          "Where the query was seen first; missing where it was seen at its socket."},
    Field{"dns.role", Type::text, "client: asked here; server: answered here, asked elsewhere."},
    Field{"dns.attempt", Type::u64,
          "1: the first; more: the same question went unanswered before, here or at another "
          "server.",
          "TRY", "1"},
    Field{"dns.id", Type::u64, "The id of the message."},
    Field{"dns.question.size", Type::u64, "Of the query.", {}, "By"},
    Field{"dns.answer.size", Type::u64, "Of the answer.", {}, "By"},
    Field{
        "dns.edns.udp_size", Type::u64, "The answer that the client can take, EDNS(0).", {}, "By"},
    Field{"dns.message", Type::text,
          "whole, cut (by the capture) or malformed: the answer, or the query without one."},
    Field{"dns.stray.address", Type::text, "An answer came from this address, that was not asked."},
    Field{"dns.search.index",
          Type::u64,
          "0: asked for first; more: so many names that begin alike did not exist just before, as "
          "when a search list is tried. Of questions for A and AAAA.",
          {},
          "1"}};

inline constexpr SchemaOf kLibraryCall{
    "dns.library",
    Kind::event,
    "A call of getaddrinfo() that is over: what the program waited for, beside the wire.",
    Field{"dns.question.name", Type::text, "As the program gave it; odd bytes as \\DDD.", "NAME"},
    Field{"dns.library.duration", Type::duration, "Of the call.", "TOOK", "s"},
    Field{"dns.wire.duration", Type::duration,
          "Of it, while an answer was waited for. Missing when nothing was asked.", "WIRE", "s"},
    Field{"dns.wire.queries", Type::u64, "That the calling thread asked in it.", "QUERIES", "1"},
    Field{"error.type", Type::text, "EAI_AGAIN and the like, when it failed.", "ERROR"}};

inline constexpr SchemaOf kEncrypted{
    "dns.encrypted",
    Kind::event,
    "A connection with a server of encrypted DNS begins, once for each. Of all others on those "
    "ports "
    "there is no record.",
    Field{"dns.encrypted.protocol", Type::text, "dot: over TLS; doh: over HTTPS; doq: over QUIC.",
          "PROTOCOL"},
    Field{"dns.encrypted.known_by", Type::text,
          "The first that holds: alpn (dot, doq), port (853), server_name or address of a known "
          "server.",
          "KNOWN BY"},
    Field{"tls.client.server_name", Type::text,
          "Whom the client asks for, SNI; odd bytes as \\DDD. With ECH it is the outer name.",
          "NAME"},
    Field{"tls.client.alpn", Type::texts, "The protocols that it offers, 8 at most.", "OFFERS"},
    Field{"tls.client.hello", Type::text,
          "whole, cut (by the capture) or malformed; missing where it could not be seen."},
    Field{"server.address", Type::text, "With whom.", "SERVER"},
    Field{"server.port", Type::u64, "Its port.", "PORT"},
    Field{"client.address", Type::text, "Who connects."},
    Field{"client.port", Type::u64,
          "Its port; missing where the connection was seen as it was opened."},
    Field{"network.transport", Type::text, "tcp or udp."},
    Field{"network.type", Type::text, "ipv4 or ipv6."},
    Field{"network.interface.name", Type::text,
          "Where it was seen first; missing where it was seen at its socket."}};

// All findings have the same fields.
inline constexpr Field kServer{"server.address", Type::text, "The name server.", "SERVER"};
inline constexpr Field kName{"dns.question.name", Type::text, "The name, or the last of them.",
                             "NAME"};
inline constexpr Field kDetail{"finding.detail", Type::text, "How: NXDOMAIN, no answer...",
                               "DETAIL"};
struct FindingSchema : SchemaOf<10> {
  constexpr FindingSchema(std::string_view name, std::string_view help)
      : SchemaOf(name, Kind::finding, help, kSeverity, kEntity, kSummary, kSuggestion, kCount,
                 kWindow, kEvidence, kServer, kName, kDetail) {}
};

inline constexpr FindingSchema kResolverSilent{"dns.resolver_silent",
                                               "A name server does not answer at all."};
inline constexpr FindingSchema kFailingName{
    "dns.failing_name", "A process asks again and again for a name that fails."};
inline constexpr FindingSchema kSlow{"dns.slow", "A name server takes long to answer."};
inline constexpr FindingSchema kRetries{"dns.retries", "A process has to ask again and again."};

inline constexpr FindingSchema kSlowLibrary{"dns.slow_library",
                                            "A process waits for getaddrinfo(), and not for DNS."};
inline constexpr FindingSchema kSlowName{"dns.slow_name",
                                         "One name is slow or unanswered, others are not."};
inline constexpr FindingSchema kSearchAmplification{
    "dns.search_amplification",
    "A process asks for several names that do not exist before each one that does."};
inline constexpr FindingSchema kTruncated{
    "dns.truncated",
    "Answers do not fit into a datagram, again and again, or nobody asked for the rest."};
inline constexpr FindingSchema kStrayAnswer{"dns.stray_answer",
                                            "Answers come from an address that was not asked."};

inline constexpr SchemaOf kServerHealth{
    "dns.server",
    Kind::metric,
    "How a name server did in an interval, by all that was asked of it from here. The time is that "
    "of the interval's end.",
    Field{"server.address", Type::text, "Who was asked; other: all beyond the first 256.",
          "SERVER"},
    Field{"server.port", Type::u64, "Its port."},
    Field{"window", Type::duration, "How long the interval was.", "WITHIN", "s"},
    Field{"dns.lookups", Type::u64, "That were concluded in it.", "LOOKUPS", "1"},
    Field{"dns.lookups.answered", Type::u64, "With any response code.", "ANSWERED", "1"},
    Field{"dns.lookups.noerror", Type::u64, "Response code NOERROR.", {}, "1"},
    Field{"dns.lookups.nxdomain", Type::u64, "NXDOMAIN.", "NXDOMAIN", "1"},
    Field{"dns.lookups.servfail", Type::u64, "SERVFAIL.", "SERVFAIL", "1"},
    Field{"dns.lookups.refused", Type::u64, "REFUSED.", {}, "1"},
    Field{"dns.lookups.other_code", Type::u64, "Another response code.", {}, "1"},
    Field{"dns.lookups.truncated", Type::u64, "Answers with the flag TC.", {}, "1"},
    Field{"dns.lookups.unanswered", Type::u64, "Nothing came in time.", "UNANSWERED", "1"},
    Field{"dns.lookups.unknown", Type::u64, "An answer may have been lost here.", {}, "1"},
    Field{"dns.lookups.repeated", Type::u64, "That had to be asked again.", "REPEATED", "1"},
    Field{"dns.latency.min", Type::duration, "The shortest time to an answer.", {}, "s"},
    Field{"dns.latency.mean", Type::duration, "The mean time.", {}, "s"},
    Field{"dns.latency.p50", Type::duration,
          "Half of the answers took no longer; off by 1/16 at most.", "P50", "s"},
    Field{"dns.latency.p99", Type::duration, "99 of 100 took no longer; off by 1/16 at most.",
          "P99", "s"},
    Field{"dns.latency.max", Type::duration, "The longest time.", "MAX", "s"}};

inline constexpr SchemaOf kLatency{
    "dns.latency",
    Kind::metric,
    "How long answers of a name server over UDP took for one cgroup, in an interval: all of them, "
    "counted in the kernel. The time is that of the interval's end.",
    Field{"server.address", Type::text, "Who was asked; other: all for which there was no room.",
          "SERVER"},
    Field{"server.port", Type::u64, "Its port."},
    Field{"tapio.cgroup.id", Type::u64, "Of who asked; missing when that is not known.", "CGROUP"},
    Field{"window", Type::duration, "How long the interval was.", "WITHIN", "s"},
    Field{"count", Type::u64, "Answers in it, with any response code.", "ANSWERS", "1"},
    Field{"dns.latency.mean", Type::duration, "The mean time.", {}, "s"},
    Field{"dns.latency.p50", Type::duration,
          "Half of the answers took no longer; off by 1/16 at most.", "P50", "s"},
    Field{"dns.latency.p90", Type::duration, "90 of 100 took no longer; off by 1/16 at most.",
          "P90", "s"},
    Field{"dns.latency.p99", Type::duration, "99 of 100 took no longer; off by 1/16 at most.",
          "P99", "s"},
    Field{"dns.latency.max", Type::duration, "None took longer; 1/8 too much at most.", "MAX", "s"},
    Field{"dns.latency.buckets", Type::texts,
          "By powers of two, \"256:12\": 12 took 256 microseconds or more, and less than 512."}};

inline constexpr const Schema* kSchemas[] = {
    &kQuery,    &kEncrypted,           &kLibraryCall, &kSlowLibrary, &kServerHealth,
    &kLatency,  &kResolverSilent,      &kFailingName, &kSlow,        &kRetries,
    &kSlowName, &kSearchAmplification, &kTruncated,   &kStrayAnswer};

// FAILED are answers with another code; without an answer there is none.
inline constexpr ViewOf kServers{
    View{.name = "dns",
         .help = "Name servers: queries, failures, time to answer, names.",
         .schema = &kQuery,
         .head = "SERVER",
         .keys = {"server.address"},
         .in_overview = false},
    figure::rate_of("QUERIES/s"),
    figure::rate_if("FAILED/s", "dns.response_code", Figure::If::is_other_than, "NOERROR"),
    figure::rate_if("SILENT/s", "dns.outcome", Figure::If::is, "unanswered"),
    figure::quantile_of("P50", "dns.lookup.duration", 0.5),
    figure::quantile_of("P99", "dns.lookup.duration", 0.99),
    figure::common_of("NAMES", "dns.question.name")};

inline constexpr ViewOf kLatencies{
    View{.name = "dns-latency",
         .help = "DNS by container, else by systemd unit or cgroup: how long answers take.",
         .schema = &kLatency,
         .head = "CONTAINER",
         .keys = {"container.id", "systemd.unit", "tapio.cgroup.path"},
         .in_overview = false},
    figure::sum_of("ANSWERS", "count"),
    figure::most_of("P50", "dns.latency.p50"),
    figure::most_of("P99", "dns.latency.p99"),
    figure::most_of("MAX", "dns.latency.max"),
    figure::common_of("SERVERS", "server.address")};

inline constexpr ViewOf kEncryptedServers{
    View{.name = "dns-encrypted",
         .help = "Servers of encrypted DNS: connections, how, names, and who.",
         .schema = &kEncrypted,
         .head = "SERVER",
         .keys = {"server.address"},
         .in_overview = false},
    figure::rate_of("CONNECTIONS/s"), figure::common_of("PROTOCOL", "dns.encrypted.protocol"),
    figure::common_of("NAMES", "tls.client.server_name"),
    figure::common_of("KNOWN BY", "dns.encrypted.known_by")};

inline constexpr const View* kViews[] = {&kServers, &kLatencies, &kEncryptedServers};

}  // namespace tapio::dns

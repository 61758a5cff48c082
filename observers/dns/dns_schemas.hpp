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
    Field{"network.transport", Type::text, "udp."},
    Field{"network.type", Type::text, "ipv4 or ipv6."},
    Field{"network.interface.name", Type::text, "Where the query was seen first."},
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
    Field{"dns.stray.address", Type::text,
          "An answer came from this address, that was not asked."}};

// All findings have the same fields.
inline constexpr Field kServer{"server.address", Type::text, "The name server.", "SERVER"};
inline constexpr Field kName{"dns.question.name", Type::text, "The name, or the last of them.",
                             "NAME"};
inline constexpr Field kDetail{"finding.detail", Type::text, "How: NXDOMAIN, no answer...",
                               "DETAIL"};
using FindingSchema = SchemaOf<10>;

inline constexpr FindingSchema kResolverSilent{"dns.resolver_silent",
                                               Kind::finding,
                                               "A name server does not answer at all.",
                                               kSeverity,
                                               kEntity,
                                               kSummary,
                                               kSuggestion,
                                               kCount,
                                               kWindow,
                                               kEvidence,
                                               kServer,
                                               kName,
                                               kDetail};
inline constexpr FindingSchema kFailingName{"dns.failing_name",
                                            Kind::finding,
                                            "A process asks again and again for a name that fails.",
                                            kSeverity,
                                            kEntity,
                                            kSummary,
                                            kSuggestion,
                                            kCount,
                                            kWindow,
                                            kEvidence,
                                            kServer,
                                            kName,
                                            kDetail};
inline constexpr FindingSchema kSlow{
    "dns.slow",  Kind::finding, "A name server takes long to answer.",
    kSeverity,   kEntity,       kSummary,
    kSuggestion, kCount,        kWindow,
    kEvidence,   kServer,       kName,
    kDetail};
inline constexpr FindingSchema kRetries{
    "dns.retries", Kind::finding, "A process has to ask again and again.",
    kSeverity,     kEntity,       kSummary,
    kSuggestion,   kCount,        kWindow,
    kEvidence,     kServer,       kName,
    kDetail};

inline constexpr const Schema* kSchemas[] = {&kQuery, &kResolverSilent, &kFailingName, &kSlow,
                                             &kRetries};

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

inline constexpr const View* kViews[] = {&kServers};

}  // namespace tapio::dns

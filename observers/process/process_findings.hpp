// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/finding.hpp"

// What the detectors report: one schema for each Detection (facts/detection.hpp), all with the same
// fields.
namespace tapio::process {

inline constexpr Field kOtherPid{
    "finding.other.pid", Type::u64,
    "The other process: whom it does it to, who did it in the end, or who starts it again."};
inline constexpr Field kOtherName{"finding.other.name", Type::text, "Its name."};
inline constexpr Field kProgram{"finding.program", Type::text,
                                "The program that ends again and again, or cannot be started."};
inline constexpr Field kDetail{"finding.detail", Type::text,
                               "How: a signal, an exit status, an error.", "DETAIL"};

struct FindingSchema : SchemaOf<11> {
  constexpr FindingSchema(std::string_view name, std::string_view help)
      : SchemaOf(name, Kind::finding, help, kSeverity, kEntity, kSummary, kSuggestion, kCount,
                 kWindow, kEvidence, kOtherPid, kOtherName, kProgram, kDetail) {}
};

inline constexpr FindingSchema kSignalStorm{
    "process.signal_storm", "A process sends signals without end. The count is a lower bound."};

inline constexpr FindingSchema kKillChain{
    "process.kill_chain", "Who killed was killed, and so on: three deaths or more."};

inline constexpr FindingSchema kCrashLoop{
    "process.crash_loop",
    "The same program ends badly again and again. process.pid is the latest."};

inline constexpr FindingSchema kForkBomb{"process.fork_bomb",
                                         "Processes multiply. process.pid is the eldest of them."};

inline constexpr FindingSchema kExecFailureLoop{
    "process.exec_failure_loop",
    "A process tries again and again to start a program that cannot be started."};

inline constexpr FindingSchema kSignalAcrossBorder{
    "process.signal_across_border", "A process in a container signals one outside of it."};

inline constexpr FindingSchema kPrivilegeGain{"process.privilege_gain",
                                              "A process may do more than before."};

}  // namespace tapio::process

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/load.hpp"

namespace tapio::cli {

namespace {

std::string_view name(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::info:
      return "info";
    case Verdict::warning:
      return "warning";
    case Verdict::problem:
      return "problem";
    case Verdict::denied:
      return "denied";
    case Verdict::unsupported:
      return "unsupported";
  }
  return "unknown";
}

Exit exit_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
    case Verdict::info:
    case Verdict::warning:
      return Exit::fine;
    case Verdict::problem:
      return Exit::wrong;
    case Verdict::denied:
      return Exit::denied;
    case Verdict::unsupported:
      return Exit::unsupported;
  }
  return Exit::wrong;
}

Check check_of(const Loaded& loaded) {
  Check check{.what = "configuration", .detail = {}};
  if (loaded.wrong.empty()) {
    check.detail = loaded.file.empty() ? "defaults, no file" : loaded.file + " is fine";
    return check;
  }
  check.verdict = Verdict::problem;
  check.detail = loaded.wrong.front();
  if (loaded.wrong.size() > 1)
    check.detail += fmt::format(", and {} more", loaded.wrong.size() - 1);
  check.advice = "run `tapio config check " + loaded.file + "`";
  return check;
}

std::string conclusion(const DoctorReport& report) {
  const auto count = [&](auto wanted) { return std::ranges::count_if(report.checks, wanted); };
  const auto bad = count([](const Check& c) { return exit_of(c.verdict) != Exit::fine; });
  const auto warnings = count([](const Check& c) { return c.verdict == Verdict::warning; });
  if (bad + warnings == 0) return "Everything is fine.\n";
  return fmt::format("{} problem{}, {} warning{}.\n", bad, bad == 1 ? "" : "s", warnings,
                     warnings == 1 ? "" : "s");
}

}  // namespace

std::string doctor_text(const DoctorReport& report) {
  std::size_t width = 0;
  for (const Check& check : report.checks) width = std::max(width, columns(printable(check.what)));
  std::string out;
  for (const Check& check : report.checks) {
    const std::string what = printable(check.what);
    out += fmt::format("{:<12}{}{:{}}  ", name(check.verdict), what, "", width - columns(what));
    append_printable(out, check.detail);
    if (!check.advice.empty()) {
      out += fmt::format("\n{:{}}-> ", "", 12 + width + 2);
      append_printable(out, check.advice);
    }
    out += '\n';
  }
  return out + conclusion(report);
}

std::string doctor_json(const DoctorReport& report) {
  std::string out = "[";
  for (const Check& check : report.checks) {
    if (out.size() > 1) out += ",\n ";
    append_json_string(out += R"({"what":)", check.what);
    append_json_string(out += R"(,"verdict":)", name(check.verdict));
    append_json_string(out += R"(,"detail":)", check.detail);
    append_json_string(out += R"(,"advice":)", check.advice);
    out += '}';
  }
  return out + "]\n";
}

// The largest code is the one that least can be done about.
Exit exit_of(const DoctorReport& report) {
  Exit worst = Exit::fine;
  for (const Check& check : report.checks) worst = std::max(worst, exit_of(check.verdict));
  return worst;
}

Exit doctor(const Arguments& arguments, Agent& agent) {
  const Loaded loaded = load(agent, arguments.config);
  DoctorReport report =
      agent.doctor(loaded.tree, socket_path(agent, arguments.socket, loaded.tree));
  report.checks.push_back(check_of(loaded));
  const Exit printed = print(arguments.json ? doctor_json(report) : doctor_text(report));
  return printed == Exit::fine ? exit_of(report) : printed;
}

}  // namespace tapio::cli

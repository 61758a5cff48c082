// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "record/view.hpp"

namespace tapio::cri {

inline constexpr Field kRuntimeName{"container.runtime.name", Type::text,
                                    "As the runtime calls itself: containerd, cri-o, docker, "
                                    "podman.",
                                    "RUNTIME"};
inline constexpr Field kWindow{"window", Type::duration, "How long the interval was.", {}, "s"};

inline constexpr SchemaOf kContainer{
    "cri.container",
    Kind::event,
    "A runtime says of a container that it has another state than before. When the agent starts, "
    "there is one of each container that is there.",
    Field{"container.id", Type::text, "64 hexadecimal digits."},
    Field{"container.name", Type::text, "Its name; in Kubernetes that of the pod's spec.", "NAME"},
    Field{"container.image.name", Type::text, "The image, as it was asked for.", "IMAGE"},
    Field{"container.runtime.name", Type::text, "Which runtime."},
    Field{"k8s.pod.name", Type::text, "Its pod.", "POD"},
    Field{"k8s.namespace.name", Type::text, "The pod's namespace.", "NAMESPACE"},
    Field{"k8s.pod.uid", Type::text, "The pod's uid."},
    Field{"cri.sandbox.id", Type::text, "The sandbox of its pod."},
    Field{"cri.sandbox", Type::boolean, "It is the pod's sandbox, and none of its containers."},
    Field{"cri.state", Type::text, "created, running, exited, unknown, or removed.", "STATE"},
    Field{"cri.state.before", Type::text, "The same before; missing: it was not known."},
    Field{"k8s.container.restart_count", Type::u64,
          "How often it was started again, as the runtime counts.", "RESTARTS"},
    Field{"cri.exit.code", Type::i64, "With which it exited, or 128 and the signal.", "CODE"},
    Field{"cri.exit.reason", Type::text,
          "Why, in the runtime's word: Completed, Error, OOMKilled, ContainerCannotRun.", "REASON"},
    Field{"cri.labels", Type::text, "Labels, as a=b,c=d; see the setting labels."}};

inline constexpr SchemaOf kRuntime{
    "cri.runtime",
    Kind::event,
    "A container runtime answers, or does not any more.",
    kRuntimeName,
    Field{"cri.runtime.version", Type::text, "Its version.", "VERSION"},
    Field{"cri.socket", Type::text, "Where it listens.", "SOCKET"},
    Field{
        "cri.runtime.state", Type::text,
        "connected; absent: there is no socket; denied: the agent may not use it; silent: it does "
        "not answer; other: it answers, but is no runtime that can be asked.",
        "STATE"},
    Field{"cri.runtime.reason", Type::text, "Why.", "REASON"}};

inline constexpr SchemaOf kContainers{
    "cri.containers",
    Kind::metric,
    "How many containers a runtime has.",
    kRuntimeName,
    Field{"cri.containers.running", Type::u64, "Those that run.", "RUNNING", "1"},
    Field{"cri.containers.created", Type::u64, "Those that never ran yet.", "CREATED", "1"},
    Field{"cri.containers.exited", Type::u64, "Those that have ended and are still kept.", "EXITED",
          "1"},
    Field{"cri.sandboxes", Type::u64, "Sandboxes of pods.", "PODS", "1"}};

inline constexpr SchemaOf kCall{
    "cri.call",
    Kind::metric,
    "How long a runtime takes to answer the agent, by method. The time is that of the interval's "
    "end.",
    kRuntimeName,
    Field{"rpc.method", Type::text, "As CRI or Docker's API calls it.", "METHOD"},
    kWindow,
    Field{"cri.call.count", Type::u64, "How many calls.", "CALLS", "1"},
    Field{"cri.call.errors", Type::u64,
          "Those that failed; that it does not know a container is an answer.", "ERRORS", "1"},
    Field{"cri.call.duration.p50", Type::duration, "Half of them took at most this.", "P50", "s"},
    Field{"cri.call.duration.p99", Type::duration, "99 of 100 took at most this.", "P99", "s"},
    Field{"cri.call.duration.max", Type::duration, "The longest.", "MAX", "s"}};

inline constexpr SchemaOf kPulled{
    "cri.image.pulled",
    Kind::event,
    "An image is on this node that was not there before.",
    kRuntimeName,
    Field{"container.image.name", Type::text, "Its first tag, or its digest.", "IMAGE"},
    Field{"container.image.id", Type::text, "Its id.", "ID"},
    Field{"cri.image.size", Type::u64, "How large it is on disk.", "SIZE", "By"}};

inline constexpr const Schema* kSchemas[] = {&kContainer, &kRuntime, &kContainers, &kCall,
                                             &kPulled};

inline constexpr ViewOf kChangesView{
    View{.name = "containers",
         .help = "Containers whose state changes, as their runtime says.",
         .schema = &kContainer,
         .head = "CONTAINER",
         .keys = {"container.name", "container.id"},
         .in_overview = false},
    figure::rate_of("CHANGES/s"),
    figure::common_of("STATE", "cri.state"),
    figure::most_of("RESTARTS", "k8s.container.restart_count"),
    figure::common_of("REASON", "cri.exit.reason"),
    figure::common_of("POD", "k8s.pod.name"),
    figure::common_of("NAMESPACE", "k8s.namespace.name")};

inline constexpr ViewOf kContainersView{View{.name = "runtimes",
                                             .help = "How many containers each runtime has.",
                                             .schema = &kContainers,
                                             .head = "RUNTIME",
                                             .keys = {"container.runtime.name"},
                                             .in_overview = false},
                                        figure::most_of("RUNNING", "cri.containers.running"),
                                        figure::most_of("CREATED", "cri.containers.created"),
                                        figure::most_of("EXITED", "cri.containers.exited"),
                                        figure::most_of("PODS", "cri.sandboxes")};

inline constexpr ViewOf kCallsView{View{.name = "cri",
                                        .help = "How long runtimes take to answer, by method.",
                                        .schema = &kCall,
                                        .head = "METHOD",
                                        .keys = {"rpc.method"},
                                        .in_overview = false},
                                   figure::sum_of("CALLS", "cri.call.count"),
                                   figure::sum_of("ERRORS", "cri.call.errors"),
                                   figure::most_of("P50", "cri.call.duration.p50"),
                                   figure::most_of("P99", "cri.call.duration.p99"),
                                   figure::most_of("MAX", "cri.call.duration.max"),
                                   figure::common_of("RUNTIME", "container.runtime.name")};

inline constexpr const View* kViews[] = {&kChangesView, &kContainersView, &kCallsView};

}  // namespace tapio::cri

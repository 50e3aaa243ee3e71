// Wingmirror · Apache-2.0

import AdminServer
import AgentConfiguration
import JSONSyntax
import OctetText
import PacketCapture
import RouteAttribution
import TrafficMetrics
import TrafficPipeline

// MARK: - Endpoints

extension Agent {
    /// What the endpoints answer with.
    var adminSources: AdminSources {
        var sources = AdminSources(
            exposition: { accept, deadline in render(accept, deadline) },
            scrapeServed: { [collector] format, status in collector.scrapeServed(format, status) },
            health: { health },
            readiness: { readiness },
            status: { web.status(status) },
            configuration: { [configuration] in configuration.current.configuration.document.indented() },
            reload: { [loader] in await loader.reload() }
        )
        if plan.configuration.metrics.istioCompat {
            sources.istioExposition = { accept, deadline in render(accept, deadline, asIstio: true) }
        }
        sources.judgeAgain = { [mirroring] policy in mirroring.judgeAgain(policy: policy) }
        sources.expositionFormat = { NegotiatedExposition(accept: $0).contentType }
        sources.pauseMirror = { [mirroring, timeline] isPaused in
            let answer = mirroring.setPaused(isPaused)
            if case .document = answer {
                timeline.add(.mirroring, isPaused ? "mirroring paused" : "mirroring resumed")
            }
            return answer
        }
        sources.answer = { [web] question in web.answer(question) }
        sources.changes = { web.changes(health: health, status: status) }
        return sources
    }

    /// Renders the metrics, or the same requests in the families of Istio; `nil` when there is no time for it.
    private func render(
        _ accept: String?,
        _ deadline: ContinuousClock.Instant?,
        asIstio: Bool = false
    ) -> Exposition? {
        let started = ContinuousClock.now
        let negotiated = NegotiatedExposition(accept: accept)
        var snapshot = routes.registry.snapshot(at: WallClock.now(), for: negotiated.format)
        if asIstio {
            snapshot = snapshot.istio
        }
        if let deadline, ContinuousClock.now >= deadline {
            return nil
        }
        var octets: [UInt8] = []
        ExpositionWriter(negotiated.format).write(snapshot, into: &octets)
        collector.pageRendered(in: Double((ContinuousClock.now - started).nanoseconds) / 1_000_000_000)
        return Exposition(
            contentType: negotiated.contentType,
            format: negotiated.format.labelText,
            octets: octets
        )
    }

    private var health: Probe {
        guard capture.hasStarted else { return Probe(isPassing: true, detail: "the routes are being read") }
        guard let age = capture.heartbeats.age else {
            return Probe(isPassing: true, detail: "the sources have been read" + recordTrouble)
        }
        let isAlive = age < Heartbeat.limit
        return Probe(isPassing: isAlive, detail: "the capture loop last made progress \(age.text) ago" + recordTrouble)
    }

    /// What keeps records from being written: worth knowing, and no reason to start the agent again.
    private var recordTrouble: String {
        records?.ledger.failure.map { "; records cannot be written: \($0)" } ?? ""
    }

    private var readiness: Probe {
        guard routes.isLoaded else { return Probe(isPassing: false, detail: "the routes are being read and compiled") }
        if let ignorance = cluster?.ignoranceOfPods ?? ignoranceOfRoutes {
            return Probe(isPassing: false, detail: ignorance)
        }
        return capture.isReady
            ? Probe(
                isPassing: true,
                detail: "\(routes.tables.routes.count) routes, and a source is open" + staleness + refusal
                    + recordTrouble
            )
            : Probe(isPassing: false, detail: "no source is open")
    }

    /// That what was read last is not in force, in words to be added to a sentence; an agent with earlier routes stays ready.
    private var refusal: String {
        routes.refusals.isEmpty ? "" : "; the latest reload was refused, as the findings say"
    }

    /// Why the routes of this node's gateway are not known, in words; `nil` where they are, or it runs none.
    private var ignoranceOfRoutes: String? {
        let chosen = configuration.current.configuration.gateway
        return cluster?.ignoranceOfRoutes(isAwaited: routes.isAwaited, orLabels: chosen.isChosen ? chosen.labels : nil)
    }

    /// How far the routes may be out of date, in words to be added to a sentence; an agent without the API server stays ready.
    private var staleness: String {
        guard let cluster else { return "" }
        return cluster.staleness(isSaved: routes.isSaved, at: WallClock.now()).map { "; \($0)" } ?? ""
    }

    private var status: JSONValue {
        AgentStatus(
            startedAt: startedAt,
            configuration: configuration.current,
            sources: sources,
            routes: routes.board.generation,
            absence: routes.absence,
            hasEnded: capture.heartbeats.age == nil,
            figures: traffic.boards.figures,
            shedding: shedding,
            budget: budget,
            latestChange: timeline.entries.last,
            latestRoutesChange: timeline.latestRoutesChange,
            filter: capture.control?.wantedFilter,
            verdicts: mirroring.judge.verdicts,
            records: records?.ledger,
            keyLog: keys.state,
            keptPackets: keptPackets,
            requests: routes.registry.routedRequestCount,
            unmatched: Dictionary(
                routes.registry.unmatchedSummaries().map { ($0.reason, $0.requestCount) },
                uniquingKeysWith: +
            )
        ).document
    }
}

// Wingmirror · Apache-2.0

internal import TrafficModel

/// How a snapshot is put together.
extension MetricsRegistry {
    /// Reads every shard, and adds what the collectors have supplied.
    func assemble(
        _ state: inout State,
        _ collected: SampleCollection,
        at now: Int64,
        for format: ExpositionFormat
    ) -> MetricsSnapshot {
        var builder = SnapshotBuilder(
            at: now,
            resets: state.resets,
            mayReset: configuration.nativeHistograms && format == .protobuf
        )
        var samples = collected
        var copy = RouteCopy()
        addRoutes(of: &state, to: &builder, copy: &copy)
        addLimits(of: builder, to: &samples)
        let overflow = shards.map(\.overflow).read(layout: layout, copy: &copy)
        builder.add(overflow, of: .overflow, blocks: &state.blocks)
        addGateways(state.gateways, to: &samples)
        if let description = state.description {
            addDescription(description, lastRequests: lastRequests(of: state.routes), to: &samples)
        }
        builder.add(samples, beginnings: &state.beginnings)
        let snapshot = builder.snapshot(configuration: configuration)
        state.resets = builder.resets
        return snapshot
    }

    // MARK: - Routes

    /// Adds the series of all routes that have some.
    private func addRoutes(of state: inout State, to builder: inout SnapshotBuilder, copy: inout RouteCopy) {
        let ledger = state.table.shards.first?.requests
        let exposed = state.routes.records.enumerated().compactMap { slot, record in
            record.flatMap { $0.isExposed ? (slot: slot, record: $0) : nil }
        }
        for (slot, record) in exposed.sorted(by: { $0.record.labels < $1.record.labels }) {
            var reading = record.cells.read(layout: layout, copy: &copy)
            reading.addFirst(exposedSince: record.exposedSince) { combination in
                ledger?.has(slot: slot, combination: combination.packed) ?? false
            }
            builder.add(reading, of: record.block, blocks: &state.blocks)
        }
    }

    /// When the latest request of each rule began; also of rules that have no series, for they are used all the same.
    private func lastRequests(of routes: RouteAdmission) -> [RuleName: Int64] {
        var lastRequests: [RuleName: Int64] = [:]
        for record in routes.records {
            guard let record, let last = record.lastRequestAt else { continue }
            let known = lastRequests[record.labels.rule] ?? last
            lastRequests[record.labels.rule] = max(last, known)
        }
        return lastRequests
    }

    /// Adds how many series the limited families have, may have, and had to refuse.
    private func addLimits(of builder: SnapshotBuilder, to samples: inout SampleCollection) {
        for limited in LimitedFamily.allCases {
            let name = limited.family.name
            samples.set(MetricCatalogue.metricSeries, [name], Double(builder.seriesCount(of: limited.family)))
            samples.set(MetricCatalogue.metricSeriesLimit, [name], Double(seriesLimit))
            for detail in limited.foldedDetails {
                for shard in shards {
                    let count = shard.foldCount(limited, detail)
                    samples.count(MetricCatalogue.metricSeriesOverflow, [name, detail.text], count)
                }
            }
        }
    }

    /// Adds what the route table in force says of itself.
    ///
    /// Rules beyond the series limit are left out: what is configured cannot be folded into a sum.
    private func addDescription(
        _ description: RouteTableDescription,
        lastRequests: [RuleName: Int64],
        to samples: inout SampleCollection
    ) {
        for table in description.tables {
            samples.info(MetricCatalogue.routeTableInfo, [table.workloadNamespace, table.workload, table.hash])
        }
        samples.set(MetricCatalogue.routeTableGeneration, [], Double(description.generation))
        samples.set(MetricCatalogue.routeTableRoutes, [], Double(description.routes.count))
        samples.set(MetricCatalogue.routeTableBuildDuration, [], description.buildSeconds)
        for rejected in description.rejectedObjects {
            samples.add(
                MetricCatalogue.routeTableRejectedObjects,
                [rejected.kind, rejected.reason],
                Double(rejected.count)
            )
        }
        for route in description.routes.prefix(seriesLimit) {
            let rule = route.rule.values
            samples.info(
                MetricCatalogue.routeInfo,
                rule + [route.match, route.hosts]
            )
            let last = lastRequests[route.rule].map { Double($0) / 1e9 }
            samples.set(MetricCatalogue.routeLastRequest, rule, last ?? 0)
        }
        for route in description.routes.prefix(seriesLimit) {
            // A rule is several routes where it has several matches or hosts, each with all of its destinations.
            for (names, share) in route.shares {
                samples.set(MetricCatalogue.routeDestinationWeight, route.rule.values + names, share)
            }
        }
    }

    // MARK: - Gateways

    private func addGateways(_ gateways: GatewayAdmission, to samples: inout SampleCollection) {
        for kind in UnpairedMessageKind.allCases {
            for shard in shards {
                samples.count(MetricCatalogue.httpUnpairedMessages, [kind.text], shard.unpairedMessageCount(kind))
            }
        }
        for record in gateways.records {
            guard let record else { continue }
            // Connections without a Gateway need not come at all, so their zeros say nothing.
            guard !record.name.isEmpty || record.cells.contains(where: \.hasCounts) else { continue }
            for cells in record.cells {
                add(cells, of: record.name, to: &samples)
            }
        }
        for shard in shards where shard.overflowGateway.hasCounts {
            add(shard.overflowGateway, of: LabelValue.overflow, to: &samples)
        }
    }

    private func add(_ cells: GatewayCells, of name: String, to samples: inout SampleCollection) {
        samples.add(MetricCatalogue.httpRequestsInFlight, [name], Double(cells.requestsInFlight))
        samples.add(MetricCatalogue.websocketsOpen, [name], Double(cells.openWebSockets))
        samples.count(MetricCatalogue.mirrorMarkedRequests, [name], cells.markedRequests)
        samples.count(MetricCatalogue.mirrorUnverifiedMarkers, [name], cells.unverifiedMarkers)
        for reason in PartlySeenReason.allCases {
            samples.count(
                MetricCatalogue.httpRequestsPartlySeen,
                [name, reason.text],
                cells.requestsPartlySeen(reason)
            )
        }
        for kind in StreamKindLabel.allCases {
            samples.count(MetricCatalogue.httpStreams, [name, kind.text], cells.streamsEnded(kind))
        }
        for label in ConnectionProtocolLabel.allCases {
            samples.count(MetricCatalogue.connectionsOpened, [name, label.text], cells.connectionsOpened(label))
        }
        for reason in ConnectionCloseReason.allCases {
            samples.count(MetricCatalogue.connectionsClosed, [name, reason.text], cells.connectionsClosed(reason))
        }
        for reason in OpaqueReason.allCases {
            samples.count(MetricCatalogue.opaqueConnections, [name, reason.text], cells.opaqueConnections(reason))
            samples.count(MetricCatalogue.opaqueBytes, [name, reason.text], cells.opaqueBytes(reason))
        }
        for reason in UnmatchedReason.allCases {
            for codeClass in ResponseCodeClass.allCases {
                let count = cells.requestsUnmatched(reason, codeClass)
                guard count > 0 || codeClass == reason.likeliestClass else { continue }
                samples.count(MetricCatalogue.httpRequestsUnmatched, [name, reason.text, codeClass.text], count)
            }
        }
    }
}

extension RouteReading {
    /// Adds the series that every route has from the beginning, and each of its methods from when that was first used, or
    /// says that they began so early.
    ///
    /// Where the limit has no room for one, its outcome stands for it.
    fileprivate mutating func addFirst(exposedSince: Int64, isAdmitted: (RequestCombination) -> Bool) {
        var began = [RequestCombination.likeliest.use: exposedSince]
        for request in requests where request.combination.method != .any {
            let use = request.combination.use
            began[use] = min(began[use] ?? request.beganAt, request.beganAt)
        }
        let before = requests.count
        for (use, time) in began {
            let first = use == RequestCombination.likeliest.use ? [RequestCombination.likeliest] : []
            for combination in first + RequestCombination.watched(use.method, use.requestProtocol) {
                add(isAdmitted(combination) ? combination : combination.outcome, beganAt: time)
            }
        }
        if requests.count > before { sort() }
    }

    private mutating func add(_ combination: RequestCombination, beganAt: Int64) {
        if let index = requests.firstIndex(where: { $0.combination == combination }) {
            requests[index].beganAt = min(requests[index].beganAt, beganAt)
        } else {
            requests.append(RequestCount(combination: combination, count: 0, beganAt: beganAt))
        }
    }
}

extension RouteTableDescription.Route {
    /// The share of each service and subset, whose ports are not told apart.
    fileprivate var shares: [[String]: Double] {
        destinations.reduce(into: [:]) { $0[[$1.service, $1.subset], default: 0] += $1.share }
    }
}

extension RouteTableDescription.Route {
    /// The names of the rule, as labels have them.
    fileprivate var rule: RuleName {
        RuleName(
            namespace: LabelValue.clean(virtualServiceNamespace),
            virtualService: LabelValue.clean(virtualService),
            route: LabelValue.clean(route)
        )
    }
}

extension LabelBlock {
    /// The labels of what is beyond the series limit.
    fileprivate static let overflow = LabelBlock(
        names: MetricCatalogue.routeLabels,
        values: RouteLabels.overflow.values
    )
}

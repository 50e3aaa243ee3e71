// Wingmirror · Apache-2.0

import HTTPReconstruction
import OctetText
import PacketDecoding
internal import TCPReassembly
import TLSDecryption
internal import TrafficMetrics
internal import TrafficPipeline

/// Supplies the metrics of decoding, connections, reassembly and parsing, from the figures that workers leave.
struct PipelineCollector: MetricCollector {
    /// Where the workers leave their figures.
    let boards: WorkerBoards
    /// The names of the interfaces or savefiles, in the order of their numbers; interfaces may come while the agent runs.
    let sources: @Sendable () -> [String]
    /// The bounds in force.
    let limits: ReassemblyLimits

    /// Adds what the pipeline counted.
    func collect(into samples: inout SampleCollection) {
        let figures = boards.figures
        collectCapture(figures, into: &samples)
        collectConnections(figures.reassembly, into: &samples)
        collectReassembly(figures.reassembly, into: &samples)
        collectHTTP(figures.http, figures.tls, into: &samples)
        for failure in ParseFailure.allCases {
            let count = figures.parseFailures[Int(failure.rawValue)]
            samples.count(MetricCatalogue.httpParseErrors, [failure.label], UInt64(count))
        }
    }

    private func collectHTTP(_ figures: HTTPStatistics, _ tls: TLSStatistics, into samples: inout SampleCollection) {
        samples.count(MetricCatalogue.httpSkippedBytes, [], UInt64(figures.skippedOctets))
        samples.count(MetricCatalogue.httpAbandonedExchanges, [], UInt64(figures.abandonedExchanges))
        for (part, count) in [
            ("head", figures.forgottenHeads), ("exchange", figures.shedExchanges),
            ("message", figures.refusedMessages), ("content", figures.cutContents),
            ("connection", figures.forgottenConnections), ("tls", tls.forgottenConnections),
        ] {
            samples.count(MetricCatalogue.httpShed, [part], UInt64(count))
        }
        collectHTTP2(figures.http2, into: &samples)
        samples.count(MetricCatalogue.httpUnreliableClocks, [], UInt64(figures.unreliableClocks))
        samples.count(MetricCatalogue.connectionRolesGuessed, [], UInt64(figures.guessedRoles))
        for outcome in ProxyHeaderLabel.allCases {
            let malformed = figures.malformedProxyHeaders
            let count = outcome == .malformed ? malformed : figures.proxyHeaders - malformed
            samples.count(MetricCatalogue.proxyHeaders, [outcome.text], UInt64(count))
        }
    }

    private func collectHTTP2(_ figures: HTTP2Figures, into samples: inout SampleCollection) {
        for (index, type) in HTTP2Figures.frameTypes.enumerated() {
            samples.count(MetricCatalogue.http2Frames, [type], UInt64(figures.frames(at: index)))
        }
        samples.count(MetricCatalogue.http2UnknownFields, ["request"], UInt64(figures.unknownRequestFields))
        samples.count(MetricCatalogue.http2UnknownFields, ["response"], UInt64(figures.unknownResponseFields))
        samples.count(MetricCatalogue.http2HeaderTables, ["recovered"], UInt64(figures.settledTables))
        samples.count(MetricCatalogue.http2HeaderTables, ["abandoned"], UInt64(figures.abandonedTables))
    }

    private func collectCapture(_ figures: PipelineFigures, into samples: inout SampleCollection) {
        let sources = sources()
        for (number, name) in sources.enumerated() {
            let duplicates = figures.reassembly.duplicateSegments
            // What several interfaces of a pcapng file captured is that file's.
            let places = stride(from: number, to: duplicates.count, by: sources.count)
            let duplicate = places.reduce(0) { $0 + duplicates[$1] }
            samples.count(MetricCatalogue.capturePacketsDuplicate, [name], UInt64(duplicate))
        }
        for offset in figures.reassembly.clockOffsets {
            guard let estimate = offset.estimate, offset.second < sources.count else { continue }
            samples.set(
                MetricCatalogue.captureClockOffset,
                [sources[offset.second], sources[offset.first]],
                Double(estimate) / 1_000_000_000
            )
        }
        for (failure, count) in figures.failures {
            samples.count(MetricCatalogue.decodeErrors, [failure.layer.label, failure.reason.label], UInt64(count))
        }
        for reason in IgnoredReason.allCases {
            let count = figures.ignored[Int(reason.rawValue)]
            samples.count(MetricCatalogue.decodePacketsWithoutTCP, [reason.label], UInt64(count))
        }
        samples.count(MetricCatalogue.decodeSegments, [], UInt64(figures.reassembly.segments))
        samples.count(MetricCatalogue.decodeTunnelledPackets, [], UInt64(figures.tunnelledPackets))
        for outcome in FragmentOutcomeLabel.allCases {
            let count = figures.fragments.count(of: outcome)
            samples.count(MetricCatalogue.fragmentedDatagrams, [outcome.text], UInt64(count))
        }
    }

    private func collectConnections(_ figures: ReassemblyStatistics, into samples: inout SampleCollection) {
        samples.set(MetricCatalogue.flowTableEntries, [], Double(figures.entries))
        samples.set(MetricCatalogue.flowConnectionsOpen, [], Double(figures.open))
        samples.count(MetricCatalogue.flowConnectionsOpened, [], UInt64(figures.connectionsOpened))
        for end in ConnectionEnd.allCases {
            samples.count(MetricCatalogue.flowConnectionsClosed, [end.label], UInt64(figures.connectionsClosed[end]))
        }
        samples.count(MetricCatalogue.reassemblyDeliveredBytes, [], UInt64(figures.deliveredOctets))
        samples.set(MetricCatalogue.flowTableCapacity, [], Double(limits.connections))
        for reason in EvictionReason.allCases {
            samples.count(MetricCatalogue.flowEvictions, [reason.label], UInt64(figures.evictions[reason]))
        }
        samples.count(MetricCatalogue.reassemblyMidstreamPickups, [], UInt64(figures.midstreamPickups))
        for reason in HalfOpenEndLabel.allCases {
            let count = figures.count(of: reason)
            samples.count(MetricCatalogue.halfOpenConnectionsEnded, [reason.text], UInt64(count))
        }
    }

    private func collectReassembly(_ figures: ReassemblyStatistics, into samples: inout SampleCollection) {
        for reason in MissingReason.allCases {
            samples.count(MetricCatalogue.reassemblyGaps, [reason.label], UInt64(figures.gaps[reason]))
        }
        for limit in ReassemblyLimit.allCases {
            samples.count(MetricCatalogue.reassemblyLimitsMet, [limit.label], UInt64(figures.limitsMet[limit]))
        }
        for reason in IgnoredSegmentLabel.allCases {
            let count = figures.count(of: reason)
            samples.count(MetricCatalogue.reassemblyIgnoredSegments, [reason.text], UInt64(count))
        }
        for kind in RecoveryLabel.allCases {
            samples.count(MetricCatalogue.reassemblyRecoveries, [kind.text], UInt64(figures.count(of: kind)))
        }
        for outcome in ChecksumErrorLabel.allCases {
            let count = figures.count(of: outcome)
            samples.count(MetricCatalogue.reassemblyChecksumErrors, [outcome.text], UInt64(count))
        }
        samples.count(MetricCatalogue.reassemblyShedBytes, [], UInt64(figures.shedOctets))
        samples.count(MetricCatalogue.reassemblyConflictingBytes, [], UInt64(figures.conflictingOctets))
        samples.count(MetricCatalogue.reassemblyGapBytes, [], UInt64(figures.gapOctets.total))
        samples.count(MetricCatalogue.reassemblyOutOfOrderSegments, [], UInt64(figures.outOfOrderSegments))
        samples.count(MetricCatalogue.reassemblyRetransmittedBytes, [], UInt64(figures.retransmittedOctets))
        samples.count(MetricCatalogue.reassemblyLateBytes, [], UInt64(figures.lateOctets))
        samples.set(MetricCatalogue.reassemblyBufferedBytes, [], Double(figures.bufferedOctets))
        samples.set(MetricCatalogue.reassemblyBufferLimit, [], Double(limits.bufferedOctets))
    }
}

extension ReassemblyStatistics {
    /// Segments that changed nothing, by reason.
    fileprivate func count(of reason: IgnoredSegmentLabel) -> Int {
        switch reason {
        case .reset: ignoredResets
        case .outOfWindow: outOfWindowSegments
        case .challengedSynchronize: challengedSynchronizes
        case .unacceptable: unacceptableSegments
        case .stray: straySegments
        case .afterClose: segmentsAfterClose
        case .keepAlive: keepAliveProbes
        }
    }

    /// Connections recognized again, by kind.
    fileprivate func count(of kind: RecoveryLabel) -> Int {
        switch kind {
        case .jump: jumps
        case .unseenReplacement: unseenReplacements
        case .resumption: resumptions
        }
    }

    /// Segments whose checksum is wrong, by what became of them.
    fileprivate func count(of outcome: ChecksumErrorLabel) -> Int {
        switch outcome {
        case .replaced: replacedChecksumErrors
        case .accepted: acceptedChecksumErrors
        case .dropped: droppedChecksumErrors
        }
    }

    /// Half-open connections that ended, by reason.
    fileprivate func count(of reason: HalfOpenEndLabel) -> Int {
        switch reason {
        case .evicted: halfOpenEvictions
        case .expired: halfOpenExpirations
        case .refused: refusedHandshakes
        }
    }
}

extension FragmentCounts {
    /// Fragmented datagrams, by what became of them.
    fileprivate func count(of outcome: FragmentOutcomeLabel) -> Int {
        switch outcome {
        case .reassembled: reassembled
        case .timedOut: timedOut
        case .evicted: evicted
        }
    }
}

/// Supplies what was read from savefiles, as capture counters of the "interfaces" that they stand for.
struct SavefileCollector: MetricCollector {
    /// Where the workers leave their figures.
    let boards: WorkerBoards
    /// The paths of the savefiles, in the order of their numbers.
    let savefiles: [String]

    /// Adds what the pipeline counted.
    func collect(into samples: inout SampleCollection) {
        let interfaces = boards.figures.interfaces
        for (number, name) in savefiles.enumerated() {
            let figures = number < interfaces.count ? interfaces[number] : nil
            samples.count(MetricCatalogue.capturePacketsReceived, [name], UInt64(figures?.packets ?? 0))
            samples.count(MetricCatalogue.capturePacketsTruncated, [name], UInt64(figures?.truncatedPackets ?? 0))
            samples.count(MetricCatalogue.captureBytes, [name], UInt64(figures?.octets ?? 0))
            if let latest = figures?.latestPacket {
                samples.set(MetricCatalogue.captureLastPacket, [name], Double(latest.nanoseconds) / 1_000_000_000)
            }
        }
    }
}

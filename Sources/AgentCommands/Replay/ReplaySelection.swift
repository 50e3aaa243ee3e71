// Wingmirror · Apache-2.0

import PacketDecoding
import Recordings
import ShadowTesting
import TrafficModel

/// Which exchanges of a recording are sent, by the rules that mirroring has.
struct ReplaySelection: Sendable {
    /// Those that are sent, in the order of the recording.
    private(set) var chosen = RecordingEntries([])
    /// Why others are not.
    private(set) var filtered: [FilterReason: Int] = [:]
    /// Those outside the share.
    private(set) var notSampled = 0
    /// Values that an earlier redaction left and that are not sent, since they mean nothing to anybody.
    private(set) var placeholders = 0
    /// How many of those that are sent had credentials that are not.
    private(set) var withoutCredentials = 0
    /// Response fields of which the recording has nothing but such values, in lower case.
    private(set) var unknownFields: Set<String> = []

    /// Asks the plan of one policy about every exchange, and builds each request once to see that it can be sent.
    ///
    /// - Parameters:
    ///   - recording: The exchanges.
    ///   - policy: What may be sent.
    ///   - builder: What makes the requests.
    /// - Throws: What is wrong with the policy.
    init(of recording: Recording, policy: MirrorPolicy, builder: ShadowRequestBuilder) throws(MirrorPlanError) {
        let plan = try MirrorPlan(policies: [policy], targets: Set(policy.targets))
        var tallies = MirrorTallies(policyCount: 1)
        var recent = RecentRequests()
        var numbers: [Int] = []
        for (number, entry) in recording.entries.enumerated() {
            var entry = entry
            let original = entry.exchange.request
            let removed = Self.removePlaceholders(from: &entry.exchange)
            placeholders += removed
            noteUnknownFields(of: entry.exchange)
            let exchange = entry.exchange
            if case .some = Self.unreadable(exchange.request) {
                filtered[.unsendable, default: 0] += 1
                continue
            }
            let selection = exchange.request.withView { view in
                plan.decide(
                    view,
                    concerned: 1,
                    client: Self.client(of: exchange, number: number),
                    isMarked: ShadowMarker.hops(of: view) > 0,
                    time: exchange.startTime,
                    recent: &recent,
                    tallies: &tallies
                )
            }
            let completed = CompletedRequest(
                isWhole: exchange.isRequestSeenWhole,
                contentOctets: exchange.request.message.contentOctets,
                keptOctets: exchange.request.message.content.count,
                changedProtocol: exchange.response?.status == 101,
                isIncomparableCall: exchange.isIncomparableCall
            )
            guard plan.complete(selection, completed, tallies: &tallies) != 0 else { continue }
            do throws(FilterReason) {
                _ = try builder.build(exchange)
                numbers.append(number)
                if removed > 0 || policy.takesCredentials(of: original) { withoutCredentials += 1 }
            } catch {
                filtered[error, default: 0] += 1
            }
        }
        chosen = recording.entries.selected(numbers) { _ = Self.removePlaceholders(from: &$0.exchange) }
        let tally = tallies.tally(ofPolicy: 0)
        for (reason, count) in tally.filtered { filtered[reason, default: 0] += Int(count) }
        notSampled = Int(tally.notSampled)
    }

    /// Takes out what a redaction left; answers how many values of the request that were.
    private static func removePlaceholders(from exchange: inout RecordedExchange) -> Int {
        let replaced = exchange.request.message.fields.count { RecordingRedaction.isReplaced($0.value) }
        if replaced > 0 { exchange.request.message.fields.removeAll { RecordingRedaction.isReplaced($0.value) } }
        let (target, count) = RecordingRedaction.withoutReplaced(target: exchange.request.target)
        exchange.request.target = target
        return replaced + count
    }

    private mutating func noteUnknownFields(of exchange: RecordedExchange) {
        guard let response = exchange.response else { return }
        for field in response.message.fields where RecordingRedaction.isReplaced(field.value) {
            unknownFields.insert(field.name.lowercased())
        }
    }

    /// A part of a request that the recording holds only as replacement characters; `nil` when all of it is there.
    ///
    /// Exchange records are text, so octets that were none are lost, and what is left is another request.
    private static func unreadable(_ request: RecordedRequest) -> [UInt8]? {
        let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
        return ([request.target] + request.message.fields.map(\.value)).first { $0.firstRange(of: replacement) != nil }
    }

    /// What stands for the client when the sampling hash is taken of its address.
    ///
    /// `.gor` files do not tell it; then each exchange is a client of its own, or a share of them would be all or none.
    private static func client(of exchange: RecordedExchange, number: Int) -> (high: UInt64, low: UInt64) {
        if let address = IPAddress(exchange.clientAddress) { return (address.high, address.low) }
        return (.max, UInt64(number))
    }
}

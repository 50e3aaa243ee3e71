// Wingmirror · Apache-2.0

import HTTPReconstruction
import Testing

extension Conversation {
    /// Reads the conversation as written and in every other way of cutting it, expects the same record of all, and answers
    /// with the one as written.
    ///
    /// Not for conversations whose reading depends on where segments begin, as the search for a head does.
    @discardableResult
    func readInEveryWay(
        ending: [Event] = .finished,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Record {
        let expected = read(ending: ending, sourceLocation: sourceLocation)
        for delivery in deliveries {
            let record = read(delivery, ending: ending, sourceLocation: sourceLocation)
            guard !record.agrees(with: expected) else { continue }
            Issue.record(
                "\(delivery): \(record.summary)\nas written: \(expected.summary)",
                sourceLocation: sourceLocation
            )
            break
        }
        return expected
    }

    /// All ways to cut the conversation but the one in which it is written.
    private var deliveries: [Delivery] {
        let longest = events.map(\.octetCount).max() ?? 0
        let cuts = (1..<max(2, min(longest, 600))).map { Delivery.cut(after: $0) }
        return [.joined, .octetByOctet] + cuts + (1...8).map { .random(seed: $0) }
    }
}

extension Conversation.Event {
    fileprivate var octetCount: Int {
        if case .octets(_, let octets, _) = self { octets.count } else { 0 }
    }
}

extension Record {
    /// Whether the same was told.
    ///
    /// How many octets were passed over after a failure depends on where a segment ended, and is left out.
    fileprivate func agrees(with other: Record) -> Bool {
        exchanges == other.exchanges && protocols == other.protocols && opaqueOctets == other.opaqueOctets
            && responseHeads == other.responseHeads && trailerSections == other.trailerSections
            && failures == other.failures && identities == other.identities
    }

    /// What differs between records, in short.
    fileprivate var summary: String {
        "\(lines) \(protocols) \(opaqueOctets) \(failures) \(statistics)"
    }
}

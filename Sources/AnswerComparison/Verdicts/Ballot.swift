// Wingmirror · Apache-2.0

/// What votes are held on: each question has its own votes, and none is ever added to another's.
enum Question: Int, Sendable, Hashable, CaseIterable {
    /// Does the candidate fail where the other side does not? The other side is the baseline, or production without one.
    case errors
    /// Does the candidate differ from production at all (D0)?
    case unadjusted
    /// Does it differ from production more often than production from itself (D4)?
    case naturalRepeats
    /// Does it differ from production more often than from itself (D1)?
    case repeats
    /// Does it differ from production more often than the baseline does (D2)?
    case baseline

    /// The design that asks it; `nil` for errors, of which every design asks.
    var design: VerdictDesign? {
        switch self {
        case .errors: nil
        case .unadjusted: .unadjusted
        case .naturalRepeats: .naturalRepeats
        case .repeats: .repeats
        case .baseline: .baseline
        }
    }
}

/// The votes on one question: on pairs as wholes, and on each place.
struct Ballot: Sendable {
    /// Keys and windows that have voted.
    var votes = 0.0
    /// Pairs that have.
    var pairs: UInt64 = 0
    /// Pairs as wholes, without what differs at volatile places.
    var whole = Tally()
    /// Pairs as wholes with all that differs.
    var raw = Tally()
    /// By place, as many as have been decided on.
    var places: [Tally] = []

    /// The place that stands for the pair as a whole, volatile places set aside.
    static let wholePlace: UInt8 = .max
    /// The place that stands for the pair as a whole with everything in it.
    static let rawPlace: UInt8 = .max - 1

    /// The tally of a place; an empty one where nothing has been decided.
    func place(_ position: Int) -> Tally { position < places.count ? places[position] : Tally() }

    /// The votes that a tally is of.
    func count(_ tally: Tally) -> VoteCount { VoteCount(votes: votes, worse: tally.worse, better: tally.better) }

    subscript(place: UInt8) -> Tally {
        get {
            switch place {
            case Self.wholePlace: whole
            case Self.rawPlace: raw
            default: self.place(Int(place))
            }
        }
        set {
            switch place {
            case Self.wholePlace: whole = newValue
            case Self.rawPlace: raw = newValue
            default:
                while places.count <= Int(place) { places.append(Tally()) }
                places[Int(place)] = newValue
            }
        }
    }

    /// A block of time ended.
    mutating func blockEnded() {
        whole.blockEnded()
        raw.blockEnded()
        for position in places.indices { places[position].blockEnded() }
    }
}

// Wingmirror · Apache-2.0

internal import TrafficModel

/// One field of a section: where its text lies, and what is not known of it.
struct SectionField {
    var name: OctetRange
    var value: OctetRange
    var code: FieldName
    var marks: Marks
    var nameHash: UInt32

    struct Marks: OptionSet {
        let rawValue: UInt8

        /// The name refers to an entry that is not known.
        static let nameUnknown = Marks(rawValue: 1 << 0)
        /// The value refers to an entry that is not known.
        static let valueUnknown = Marks(rawValue: 1 << 1)
        /// The sender wants the value in no table, since it is secret (RFC 7541 §7.1.3).
        static let neverIndexed = Marks(rawValue: 1 << 2)
        /// Name or value rest on a vote.
        static let inferred = Marks(rawValue: 1 << 3)
        /// The value has an octet that no value may have: a control character other than HTAB (RFC 9113 §8.2.1).
        static let valueInvalid = Marks(rawValue: 1 << 4)
    }

    /// Whether name and value are known.
    var isKnown: Bool { marks.isDisjoint(with: [.nameUnknown, .valueUnknown]) }
}

/// The fields of one field block, in the order in which they were sent.
///
/// It is filled by a ``FieldBlockDecoder`` and used again for the next block, so that a block costs no allocation once
/// the memory is there. What is in no field is not held: a limit on octets only stops the writing, never the decoding.
struct FieldSection: ~Copyable {
    /// Names and values.
    var octets = OctetBuffer()
    /// The fields, as far as the limit allowed.
    var fields = PlainList<SectionField>()
    /// Fields whose entries float.
    var references = PlainList<FloatingReference>()
    /// How many of the fields, from the first, end with the last one whose name is in a table; what follows are literals
    /// that say nothing about the places of entries.
    var tabledCount = 0
    /// How many field lines the block has, pseudo-header fields included.
    var lineCount = 0
    /// Whether there were more fields than the limit allowed.
    var isOverLimit = false

    /// A reference to an entry that is known, at a place that is not.
    struct FloatingReference {
        /// Which of `fields`.
        let field: Int
        /// Entries between the last certain one and the entry meant.
        let offset: Int
        /// Whether only the name is the entry's.
        let isNameOnly: Bool
    }

    /// Octets of memory that the section takes.
    var keptOctets: Int {
        octets.capacity + fields.capacity * MemoryLayout<SectionField>.stride
            + references.capacity * MemoryLayout<FloatingReference>.stride
    }

    /// Forgets the fields, and memory beyond what blocks usually need.
    mutating func removeAll() {
        octets.removeAll(keepingAtMost: 16 << 10)
        fields.removeAll(keepingAtMost: 1 << 10)
        references.removeAll(keepingAtMost: 1 << 10)
        tabledCount = 0
        lineCount = 0
        isOverLimit = false
    }
}

/// What a field section may be, as far as its frame tells.
enum SectionKind {
    case request
    case response
    /// It ends its stream, so that it may also be a trailer section.
    case requestOrTrailers
    case responseOrTrailers

    var isRequest: Bool { self == .request || self == .requestOrTrailers }
    var mayBeTrailers: Bool { self == .requestOrTrailers || self == .responseOrTrailers }
}

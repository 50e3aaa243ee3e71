// Wingmirror · Apache-2.0
// Dynamic table entries, RFC 7541 §2.3.2 and §4.1.

/// One entry of a dynamic table: where its octets lie in the ring, and what is known of it.
struct TableEntry {
    /// Where the octets begin: the name, and behind it the value.
    var start: UInt16 = 0
    /// How many octets the name has; with `.nameFloats`, the place of the entry that has the name.
    var nameField: UInt16 = 0
    /// How many octets the value has.
    var valueLength: UInt16 = 0
    /// What the name means.
    var code = FieldName.unknown
    /// What is not known, or not certain.
    var marks: Marks = []
    /// A hash of the name, where it is known.
    var nameHash: UInt32 = 0

    struct Marks: OptionSet {
        let rawValue: UInt8

        /// The name is not known.
        static let nameUnknown = Marks(rawValue: 1 << 0)
        /// The value is not known.
        static let valueUnknown = Marks(rawValue: 1 << 1)
        /// The name is that of a floating entry; implies `.nameUnknown`.
        static let nameFloats = Marks(rawValue: 1 << 2)
        /// The contents rest on a vote.
        static let inferred = Marks(rawValue: 1 << 3)
        /// The value has an octet that no value may have.
        static let valueInvalid = Marks(rawValue: 1 << 4)
    }

    /// Octets of the name that lie in the ring.
    var nameLength: Int { marks.contains(.nameUnknown) ? 0 : Int(nameField) }

    /// Octets in the ring.
    var octetCount: Int { nameLength + Int(valueLength) }

    /// What the entry costs; too little where something is not known (RFC 7541 §4.1).
    var size: Int { octetCount + 32 }

    /// An entry of which nothing is known but that it is there.
    static let placeholder = TableEntry(marks: [.nameUnknown, .valueUnknown])
}

// Wingmirror · Apache-2.0

/// Where exchange records of `run` are written, and how much they say.
package struct RecordsConfiguration: Sendable, Equatable {
    /// The most content that a record may carry of one message.
    package static let contentLimit = ByteSize(mebibytes: 16)
    /// The content that a recording for other tools carries of one message when nothing is said.
    package static let recordingContent = ByteSize(mebibytes: 1)

    /// When the file is closed, renamed and begun anew.
    package struct Rotation: Sendable, Equatable {
        /// The size beyond which the file is full; 0 for any size.
        var bytes = ByteSize(0)
        /// The age, since it was opened, beyond which it is finished; zero for any age.
        var age: Duration = .zero
        /// The smallest size at which a file is full.
        fileprivate static let smallest = ByteSize(mebibytes: 1)
        /// The least age at which a file is finished.
        fileprivate static let youngest: Duration = .seconds(60)

        /// How many finished files stay: `FILE.1` is the newest.
        package var kept = 5

        /// Whether a file of a size and age is finished; an empty one is not.
        package func isDue(size: Int, age: Duration) -> Bool {
            guard size > 0 else { return false }
            return (bytes.octets > 0 && size >= bytes.octets) || (self.age > .zero && age >= self.age)
        }
    }

    /// The file they are written to, `-` for standard output; empty writes none.
    package var file = ""
    /// Whether each message lists its fields.
    package var fields = false
    /// The most octets of content each message carries.
    package var contentBytes = ByteSize(0)
    /// When the file is closed, renamed and begun anew.
    package var rotation = Rotation()
}

extension RecordsConfiguration {
    /// Reads the section `records`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("file", into: &file, as: .text)
        section.read("fields", into: &fields, as: .flag)
        section.read("contentBytes", into: &contentBytes, as: .byteSize(in: ByteSize(0)...Self.contentLimit))
        section.section("rotate") { rotate in
            rotate.read("bytes", into: &rotation.bytes, as: .byteSize(in: ByteSize(0)...ByteSize(mebibytes: 1 << 20)))
            rotate.read("age", into: &rotation.age, as: .duration(in: .zero ... .seconds(31 * 86_400)))
            rotate.read("keep", into: &rotation.kept, as: .integer(in: 1...1000))
            if rotation.bytes.octets > 0, rotation.bytes < Rotation.smallest {
                rotate.refuse("bytes", "a file of less than \(Rotation.smallest) would be rotated all the time")
            }
            if rotation.age > .zero, rotation.age < Rotation.youngest {
                rotate.refuse("age", "a file younger than \(Rotation.youngest.text) would be rotated all the time")
            }
            if file == "-", rotation != Rotation() {
                rotate.refuse("bytes", "standard output cannot be rotated; name a file in records.file")
            }
        }
    }
}

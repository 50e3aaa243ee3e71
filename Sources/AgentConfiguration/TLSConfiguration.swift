// Wingmirror · Apache-2.0

import JSONSyntax

/// The key log that TLS is decrypted with; without one, TLS is counted and not read.
///
/// Whoever can read the file can read all traffic of the connections in it, recorded before or after.
package struct TLSConfiguration: Sendable, Equatable {
    /// What happens to the part of the key log that was read.
    package enum Reclaiming: String, Sendable, CaseIterable {
        /// It stays, and whoever writes the log bounds it.
        case none
        /// Its memory is given back by punching a hole, which the writer does not notice: for a log on tmpfs.
        case punch
    }

    /// The path of the key log; empty decrypts nothing.
    package var keyLog = ""
    /// How long a connection waits for its keys: writers of key logs do so late.
    package var patience = Duration.seconds(3)
    /// The most ciphertext that connections hold while they wait, all together.
    package var heldBytes = ByteSize(mebibytes: 32)
    /// What happens to the part that was read.
    package var reclaim = Reclaiming.none
    /// Whether a key log that everybody on the machine can read is accepted outside of a memory-backed file system.
    package var allowsReadableByAll = false
}

extension TLSConfiguration {
    /// Reads the section `tls`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("keyLog", into: &keyLog, as: .text)
        section.read("patience", into: &patience, as: .duration(in: .zero ... .seconds(60)))
        section.read(
            "heldBytes",
            into: &heldBytes,
            as: .byteSize(in: ByteSize(mebibytes: 1)...ByteSize(mebibytes: 4_096))
        )
        section.read("reclaim", into: &reclaim, as: .oneOf(Reclaiming.self))
        section.read("allowWorldReadable", into: &allowsReadableByAll, as: .flag)
    }

    /// The section in the shape of the file.
    var document: JSONValue {
        [
            "keyLog": .string(keyLog),
            "patience": .string(patience.text),
            "heldBytes": .string(heldBytes.description),
            "reclaim": .string(reclaim.rawValue),
            "allowWorldReadable": .bool(allowsReadableByAll),
        ]
    }
}

// Wingmirror · Apache-2.0

import JSONSyntax

/// An object of the API server that cannot be read, such as one that is nested deeper than ``DocumentLimits`` allows, and
/// what can be said of it without reading the whole.
struct UnreadableObject: Sendable, Hashable {
    /// What names it; `nil` where not even that can be read.
    let key: ObjectKey?
    /// What tells it from another object of the same name.
    let uid: String
    /// The version of its state.
    let resourceVersion: String
    /// Why it cannot be read.
    let reason: String

    /// Finds the names in an object's text.
    init(_ octets: some Collection<UInt8>, _ error: DocumentError) {
        let metadata = Self.members(of: Self.members(of: Array(octets)[...])["metadata"] ?? [])
        let name = Self.text(metadata["name"])
        key = name.isEmpty ? nil : ObjectKey(namespace: Self.text(metadata["namespace"]), name: name)
        uid = Self.text(metadata["uid"])
        resourceVersion = Self.text(metadata["resourceVersion"])
        reason = error.message
    }

    /// The texts of the members of the object that a text holds; nothing within them is looked at.
    static func members(of octets: ArraySlice<UInt8>) -> [String: ArraySlice<UInt8>] {
        var result: [String: ArraySlice<UInt8>] = [:]
        var depth = 0
        var strings = JSONStringScan()
        var key: ArraySlice<UInt8>?
        var start = octets.startIndex
        for index in octets.indices {
            let octet = octets[index]
            guard !strings.append(octet) else { continue }
            switch octet {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 1 { start = index + 1 }
            case UInt8(ascii: ":") where depth == 1 && key == nil:
                key = octets[start..<index]
                start = index + 1
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 1 {
                    if let key { result[text(key)] = octets[start..<index] }
                    key = nil
                    start = index + 1
                }
                if octet != UInt8(ascii: ",") { depth -= 1 }
                guard depth > 0 else { return result }
            default: break
            }
        }
        return result
    }

    /// The string that a text is; empty for any other value.
    static func text(_ octets: ArraySlice<UInt8>?) -> String {
        octets.flatMap { try? JSONDocument.parse(Array($0)).stringValue } ?? ""
    }
}

/// An event of a watch whose object cannot be read, though its type and the object's names can.
struct UnreadableEvent: Sendable {
    /// Its object.
    let object: UnreadableObject
    /// Whether the object is gone.
    let isGone: Bool
    /// The word of the label `type`.
    let typeName: String

    /// Finds the names in the text of an event; `nil` where type, name and version cannot be made out, so that it is not known
    /// what was missed.
    init?(_ line: [UInt8], _ error: DocumentError) {
        let members = UnreadableObject.members(of: line[...])
        guard
            let word = ["ADDED": "added", "MODIFIED": "modified", "DELETED": "deleted"][
                UnreadableObject.text(members["type"])
            ], let octets = members["object"]
        else { return nil }
        typeName = word
        isGone = word == "deleted"
        object = UnreadableObject(octets, Self.mistake(in: Array(octets)) ?? error)
        guard object.key != nil, !object.resourceVersion.isEmpty else { return nil }
    }

    /// What is wrong with the object by itself, as a list would say it: in an event it lies one level deeper.
    private static func mistake(in octets: [UInt8]) -> DocumentError? {
        do throws(DocumentError) {
            _ = try JSONDocument.parse(octets)
            return nil
        } catch {
            return error
        }
    }
}

// Wingmirror · Apache-2.0

/// Where a walk through JSON content is, as the name of a place.
struct ContentPath: Sendable {
    private enum Step: Sendable {
        case member(String)
        case entry
    }

    private var steps: [Step] = []

    /// Goes down to a member; one without a name is an entry of a map.
    mutating func push(member: String) { steps.append(.member(member)) }

    /// Goes down to the entries of a list.
    mutating func pushEntry() { steps.append(.entry) }

    /// Goes back up.
    mutating func pop() { steps.removeLast() }

    /// The path as text, with at most so many members.
    func text(members limit: Int) -> String {
        var text = ""
        var members = 0
        for step in steps {
            switch step {
            case .entry: text += "[]"
            case .member(let name):
                guard members < limit else { return text + ".…" }
                members += 1
                if !text.isEmpty { text += "." }
                text += Self.isName(name) ? name : "*"
            }
        }
        return text
    }

    /// Whether a member's name is one that a programmer chose; others are keys of data and may say something of a person.
    static func isName(_ name: String) -> Bool {
        let octets = Array(name.utf8)
        guard 1...48 ~= octets.count else { return false }
        let isPlain = octets.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"), UInt8(ascii: ":"), UInt8(ascii: "/"): true
            default: false
            }
        }
        return isPlain && FormatClass(octets) == .text
    }
}

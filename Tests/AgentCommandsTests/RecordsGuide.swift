// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import TestSupport

/// The guide to records, whose lists of keys people rely on.
struct RecordsGuide {
    /// All names in code spans of the guide.
    private let names: Set<String>

    /// Reads the guide.
    init() throws {
        let path = "\(Repository.path)/Sources/AgentCommands/Documentation.docc/Guides/Records.md"
        let text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        let spans = text.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter {
            $0.offset % 2 == 1
        }
        names = Set(spans.flatMap { $0.element.split { !$0.isLetter && !$0.isNumber } }.map(String.init))
    }

    /// The keys of a record that the guide does not name.
    func missingKeys(of record: JSONValue) -> Set<String> {
        switch record {
        case .object(let object):
            object.members.reduce(into: []) { missing, member in
                if !names.contains(member.key) { missing.insert(member.key) }
                missing.formUnion(missingKeys(of: member.value))
            }
        case .array(let elements): elements.reduce(into: []) { $0.formUnion(missingKeys(of: $1)) }
        default: []
        }
    }
}

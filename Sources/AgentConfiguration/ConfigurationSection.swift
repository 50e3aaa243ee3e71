// Wingmirror · Apache-2.0

/// A mapping of a configuration file while it is read.
///
/// Each `read` names a key; what is in the file under no such name is reported when the section ends, together with the
/// nearest name that was asked for. So a key cannot be known to the checker and unknown to the reader, or the reverse.
/// Reading goes on after a mistake: everything wrong with a file is found at once.
final class ConfigurationSection {
    private let file: String
    private let keyPath: String
    private let position: (line: Int, column: Int)?
    private let entries: [(key: String, keyNode: ConfigurationNode, value: ConfigurationNode)]
    private var knownKeys: [String] = []
    /// The mistakes found in this section and the sections within it.
    private(set) var problems: [ConfigurationProblem] = []

    /// Whether there is a mapping, or nothing: then what is required in it is missing.
    private let isMapping: Bool

    /// Opens the mapping at `node`; anything but a mapping or nothing is a mistake, and then reads as empty.
    ///
    /// - Parameters:
    ///   - node: What stands there.
    ///   - file: The file's name, for messages.
    ///   - keyPath: Where the mapping stands in it.
    ///   - example: What could stand there, for the message.
    init(_ node: ConfigurationNode, file: String, keyPath: String = "", example: String? = nil) {
        self.file = file
        self.keyPath = keyPath
        position = node.position
        entries = node.entries ?? []
        isMapping = node.entries != nil || node.isNothing
        if !isMapping {
            let mapping = example.map { "a mapping such as \($0)" } ?? "a mapping"
            report(
                "expected \(keyPath.isEmpty ? "sections such as capture: and gateway:" : mapping), found \(node.summary)"
            )
        }
    }

    // MARK: - Values

    /// Reads the value of `key`, if there is one, into `target`; a value that does not fit leaves `target` as it is.
    func read<Value>(_ key: String, into target: inout Value, as format: ConfigurationValue<Value>) {
        guard let node = value(of: key) else { return }
        switch format.parse(node) {
        case .success(let value):
            target = value
        case .failure(let misfits) where misfits.misfits.isEmpty:
            report(key, at: node, "expected \(format.expectation), found \(node.summary)")
        case .failure(let misfits):
            for misfit in misfits.misfits {
                append(path(of: key + misfit.suffix), misfit.position ?? position, misfit.message)
            }
        }
    }

    /// Reads the value of `key`, which must be there.
    func require<Value>(_ key: String, into target: inout Value, as format: ConfigurationValue<Value>) {
        if value(of: key) == nil, isMapping {
            report("\(key) is missing: expected \(format.expectation)")
        }
        read(key, into: &target, as: format)
    }

    /// Reads the section under `key`, if there is one.
    func section(_ key: String, _ body: (ConfigurationSection) -> Void) {
        guard let node = value(of: key) else { return }
        descend(into: node, key, body)
    }

    /// Reads the sections of the list under `key`, in order.
    ///
    /// - Parameters:
    ///   - key: The list's key.
    ///   - example: One of the sections, for the message where something else stands there.
    ///   - body: Reads one of them.
    func sections(_ key: String, example: String? = nil, _ body: (ConfigurationSection) -> Void) {
        guard let node = value(of: key), !node.isNothing else { return }
        guard node.isSequence else {
            let list = example.map { "a list of mappings such as [\($0)]" } ?? "a list of mappings"
            return report(key, at: node, "expected \(list), found \(node.summary)")
        }
        for (index, element) in node.elements.enumerated() {
            descend(into: element, "\(key)[\(index)]", example: example, body)
        }
    }

    /// Reads the sections of the mapping under `key`, whose keys are names of the user's choice.
    func namedSections(_ key: String, _ body: (String, ConfigurationSection) -> Void) {
        guard let node = value(of: key), !node.isNothing else { return }
        guard let entries = node.entries else {
            return report(key, at: node, "expected a mapping of names, found \(node.summary)")
        }
        for entry in entries {
            descend(into: entry.value, "\(key).\(entry.key)") { body(entry.key, $0) }
        }
    }

    /// Whether the file has that key.
    func has(_ key: String) -> Bool {
        entries.contains { $0.key == key }
    }

    // MARK: - Refusals

    /// Refuses what stands under `key`, and says why.
    func refuse(_ key: String, _ reason: String) {
        if let node = value(of: key) {
            report(key, at: node, reason)
        } else {
            report(reason)
        }
    }

    /// Reports the keys that nothing asked for.
    func reportUnknownKeys() {
        for entry in entries where !knownKeys.contains(entry.key) {
            let nearest = knownKeys.nearest(to: entry.key).map { "; the nearest known key is \"\($0)\"" } ?? ""
            report(entry.key, at: entry.keyNode, "unknown key\(nearest)")
        }
    }

    // MARK: - Helpers

    private func value(of key: String) -> ConfigurationNode? {
        if !knownKeys.contains(key) {
            knownKeys.append(key)
        }
        return entries.first { $0.key == key }?.value
    }

    private func descend(
        into node: ConfigurationNode,
        _ key: String,
        example: String? = nil,
        _ body: (ConfigurationSection) -> Void
    ) {
        let section = ConfigurationSection(node, file: file, keyPath: path(of: key), example: example)
        body(section)
        section.reportUnknownKeys()
        problems += section.problems
    }

    private func path(of key: String) -> String {
        keyPath.isEmpty ? key : "\(keyPath).\(key)"
    }

    private func report(_ key: String, at node: ConfigurationNode, _ message: String) {
        append(path(of: key), node.position, message)
    }

    private func report(_ message: String) {
        append(keyPath, position, message)
    }

    private func append(_ keyPath: String, _ position: (line: Int, column: Int)?, _ message: String) {
        let place: ConfigurationProblem.Place =
            if let position {
                .position(file: file, line: position.line, column: position.column)
            } else {
                .file(file)
            }
        problems.append(ConfigurationProblem(place: place, keyPath: keyPath, message: message))
    }
}

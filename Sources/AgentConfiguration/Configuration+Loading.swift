// Wingmirror · Apache-2.0

import YAMLSyntax

extension Configuration {
    /// The most octets of a configuration file.
    static let fileLimit = 4 << 20

    /// Reads the configuration file at `path`.
    ///
    /// - Throws: Every mistake in the file, each with its line and key path; or the one reason why it cannot be read.
    package static func load(path: String) throws(ConfigurationProblems) -> Configuration {
        let octets: [UInt8]
        do {
            octets = try FileContents.read(path, limit: fileLimit)
        } catch {
            throw ConfigurationProblems(file: path, error.explained)
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw ConfigurationProblems(file: path, "is not text: it is not valid UTF-8")
        }
        return try parse(text, file: path)
    }

    /// Reads a configuration from its text; `file` is only the name used in messages.
    package static func parse(_ text: String, file: String) throws(ConfigurationProblems) -> Configuration {
        guard let node = try document(text, file: file) else { return Configuration() }
        let root = ConfigurationSection(ConfigurationNode(node), file: file)
        let configuration = Configuration(root)
        root.reportUnknownKeys()
        guard root.problems.isEmpty else { throw ConfigurationProblems(root.problems) }
        return configuration
    }

    /// The one document of the text; `nil` when it holds nothing but comments.
    private static func document(_ text: String, file: String) throws(ConfigurationProblems) -> YAMLNode? {
        var documents: [YAMLNode] = []
        do throws(YAMLError) {
            var reader = YAMLReader(text)
            while let root = try reader.next() {
                documents.append(root)
            }
        } catch {
            throw ConfigurationProblems([ConfigurationProblem(yamlError: error, file: file)])
        }
        if let kind = documents.lazy.compactMap(\.kindOfObject).first {
            throw ConfigurationProblems(
                file: file,
                "is a Kubernetes object (\(kind)), not a configuration; name route objects with --routes or routes.files"
            )
        }
        guard documents.count <= 1 else {
            throw ConfigurationProblems(file: file, "holds \(documents.count) documents; a configuration is one")
        }
        return documents.first
    }
}

extension ConfigurationProblems {
    /// A single problem with a file as a whole.
    fileprivate init(file: String, _ message: String) {
        self.init([ConfigurationProblem(place: .file(file), message: message)])
    }
}

extension ConfigurationProblem {
    /// Says what is no YAML, and where.
    fileprivate init(yamlError error: YAMLError, file: String) {
        let place = Place.position(file: file, line: error.position.line, column: error.position.column)
        switch error.problem {
        case .syntax(let problem): self.init(place: place, message: "is not valid YAML: \(problem)")
        case .characters(let problem): self.init(place: .file(file), message: "is not valid YAML: \(problem)")
        case .duplicateKeys(let keys):
            self.init(place: place, message: "the key \(keys.joined(separator: ", ")) is given twice")
        }
    }
}

extension YAMLNode {
    /// The kind, where the document is an object of the Kubernetes API.
    fileprivate var kindOfObject: String? {
        let entries = ConfigurationNode(self).entries ?? []
        guard entries.contains(where: { $0.key == "apiVersion" }) else { return nil }
        return entries.first { $0.key == "kind" }?.value.text
    }
}

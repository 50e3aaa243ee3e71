// Wingmirror · Apache-2.0

import FoundationEssentials
public import JSONSyntax

/// A document that may be a Kubernetes object, and where it was written.
public struct SurveyedObject: Sendable {
    /// The document's value.
    public let value: JSONValue
    /// The file, as its path was given; `-` for standard input.
    public let file: String
    /// The line of its first field, from 1.
    public let line: Int
    /// The namespace that a kustomization beside the file gives to objects without one.
    public let namespace: String?
}

/// A file that holds no Kubernetes objects, and what it is instead.
public struct PassedOverFile: Sendable, Hashable {
    /// What a file is that is no manifest.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A kustomization.
        case kustomization
        /// A patch for kustomize: one that a kustomization lists, or a list of JSON patch operations.
        case patch = "patch"
        /// What describes a Helm chart, and its values.
        case chart = "chart file"
        /// A Helm template, or one of another kind, that has to be rendered first.
        case template = "template"
        /// Text of any other kind.
        case other = "other file"
    }

    /// The file, as its path was given.
    public let file: String
    /// What it is.
    public let kind: Kind
}

/// A file that holds objects and cannot be read.
public struct UnreadableFile: Sendable, Hashable {
    /// The file, as its path was given.
    public let file: String
    /// The line of the mistake, from 1.
    public let line: Int
    /// What is wrong.
    public let message: String
    /// Whether the file was named by itself, and nothing of it could be read.
    public let isUnread: Bool
}

/// What lies in files and folders of a person's repository, as far as it has a part in routing.
public struct ResourceSurvey: Sendable {
    /// The objects, in the order of the files' names.
    public fileprivate(set) var objects: [SurveyedObject] = []
    /// Files without objects.
    public fileprivate(set) var passedOver: [PassedOverFile] = []
    /// Files with a mistake, or that cannot be read at all.
    public fileprivate(set) var unreadable: [UnreadableFile] = []
    /// Commands that render what cannot be read as it lies there, such as `helm template chart`.
    public fileprivate(set) var renderings: [String] = []

    /// The files passed over in one line, such as `passed over 3 files: 1 kustomization, 2 templates`; `nil` without any.
    public var summary: String? {
        guard !passedOver.isEmpty else { return nil }
        let counts = PassedOverFile.Kind.allCases.compactMap { kind -> String? in
            let count = passedOver.count { $0.kind == kind }
            guard count > 0 else { return nil }
            return count == 1 ? "1 \(kind.rawValue)" : "\(count) \(kind == .patch ? "patches" : kind.rawValue + "s")"
        }
        let files = passedOver.count == 1 ? "1 file" : "\(passedOver.count) files"
        let kinds = passedOver.allSatisfy { $0.kind == .other } ? "" : ": \(counts.joined(separator: ", "))"
        return "passed over \(files) without Kubernetes objects\(kinds)"
    }
}

extension ResourceFileLoader {
    /// Reads files and folders as a person's repository has them; `-` is standard input.
    ///
    /// Files without objects are passed over and told, and a file with a mistake does not hide the others. A file that is
    /// named by itself was meant, so it has to be YAML or JSON.
    /// - Throws: paths that do not exist.
    public func survey(_ paths: [String]) throws(ResourceFileError) -> ResourceSurvey {
        var problems: [String] = []
        var files: [String] = []
        for path in paths { files += path == "-" ? ["-"] : self.files(at: path, &problems) }
        guard problems.isEmpty else { throw ResourceFileError(problems: problems) }
        var walk = SurveyWalk(loader: self, named: Set(paths))
        return walk.survey(files)
    }
}

/// One survey while it is made.
private struct SurveyWalk {
    let loader: ResourceFileLoader
    /// The paths that were given, where those of files in folders are not.
    let named: Set<String>
    var survey = ResourceSurvey()
    /// Folders with a Chart.yaml, and those with templates that were passed over.
    private var charts: Set<String> = []
    private var templatedCharts: Set<String> = []
    /// What kustomizations say: files that are patches, and the namespace of the files of a folder.
    private var patches: Set<String> = []
    private var namespaces: [String: String] = [:]
    private var kustomizations: [String] = []
    /// Folders that another kustomization takes in, so that they need no command of their own.
    private var included: Set<String> = []
    private var patchingKustomizations: Set<String> = []

    init(loader: ResourceFileLoader, named: Set<String>) {
        self.loader = loader
        self.named = named
    }

    mutating func survey(_ files: [String]) -> ResourceSurvey {
        for file in files where Self.name(file) == "Chart.yaml" { charts.insert(Self.folder(file)) }
        for file in files where Self.isKustomization(file) { readKustomization(file) }
        for file in files { read(file) }
        describeRenderings()
        return survey
    }

    // MARK: One file

    private mutating func read(_ file: String) {
        let name = Self.name(file)
        if Self.isKustomization(file) { return pass(file, .kustomization) }
        if charts.contains(Self.folder(file)), name == "Chart.yaml" || name.hasPrefix("values") || name == "Chart.lock"
        {
            return pass(file, .chart)
        }
        if patches.contains(Self.standard(file)) { return pass(file, .patch) }
        let octets: [UInt8]
        do throws(DocumentError) {
            octets = try loader.contents(of: file)
        } catch {
            note(error, of: file, isUnread: named.contains(file))
            return
        }
        let hasBraces = Self.hasTemplateBraces(octets)
        if hasBraces, let chart = chart(of: file) {
            templatedCharts.insert(chart)
            return pass(file, .template)
        }
        do throws(DocumentError) {
            take(try documents(octets, file: file), of: file)
        } catch {
            if hasBraces { return pass(file, .template) }
            guard Self.looksLikeManifest(octets) || named.contains(file) else { return pass(file, .other) }
            note(error, of: file)
        }
    }

    private mutating func note(_ error: DocumentError, of file: String, isUnread: Bool = false) {
        let entry = UnreadableFile(file: file, line: error.line, message: error.message, isUnread: isUnread)
        survey.unreadable.append(entry)
    }

    private mutating func take(_ documents: [LocatedDocument], of file: String) {
        var found = false
        var isPatch = !documents.isEmpty
        for document in documents {
            guard Self.mayBeObject(document.value) else {
                if case .array(let entries) = document.value, entries.allSatisfy({ $0["op"] != nil }) { continue }
                isPatch = false
                continue
            }
            found = true
            survey.objects.append(
                SurveyedObject(
                    value: document.value,
                    file: file,
                    line: document.line,
                    namespace: namespaces[Self.folder(file)]
                )
            )
        }
        if !found { pass(file, isPatch ? .patch : .other) }
    }

    private mutating func pass(_ file: String, _ kind: PassedOverFile.Kind) {
        survey.passedOver.append(PassedOverFile(file: file, kind: kind))
    }

    /// Whether a document is for the API server: it has a kind, or a group of which only the kind is missing.
    private static func mayBeObject(_ value: JSONValue) -> Bool {
        guard case .object = value else { return false }
        if case .string = value["kind"] { return true }
        guard case .string(let version) = value["apiVersion"] else { return false }
        return version.hasPrefix("networking.istio.io/") || version.hasPrefix("gateway.networking.k8s.io/")
    }

    private func documents(_ octets: [UInt8], file: String) throws(DocumentError) -> [LocatedDocument] {
        var octets = octets[...]
        if octets.starts(with: [0xEF, 0xBB, 0xBF]) { octets = octets.dropFirst(3) }
        let first = octets.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        if first == UInt8(ascii: "{"), file.hasSuffix(".json") || ResourceFileLoader.isReadOnce(file) {
            if let values = try? JSONDocument.parseStream(Array(octets), limits: loader.limits) {
                return values.map { LocatedDocument(value: $0.value, line: $0.line) }
            }
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            throw DocumentError(line: 1, message: "the text is not UTF-8")
        }
        return try YAMLDocuments.parse(text, limits: loader.limits)
    }

    // MARK: Kustomizations and charts

    private mutating func readKustomization(_ file: String) {
        let folder = Self.folder(file)
        kustomizations.append(folder)
        guard let octets = try? loader.contents(of: file), let documents = try? documents(octets, file: file),
            let value = documents.first?.value
        else { return }
        if case .string(let namespace) = value["namespace"] { namespaces[folder] = namespace }
        func list(_ key: String) -> [JSONValue] {
            if case .array(let entries) = value[key] { entries } else { [] }
        }
        var found: [String] = []
        for entry in list("patches") + list("patchesJson6902") + list("replacements") {
            if case .string(let path) = entry["path"] { found.append(path) }
        }
        for entry in list("patchesStrategicMerge") {
            if case .string(let path) = entry { found.append(path) }
        }
        patches.formUnion(found.map { Self.standard("\(folder)/\($0)") })
        if !found.isEmpty || !list("patches").isEmpty || !list("patchesStrategicMerge").isEmpty {
            patchingKustomizations.insert(folder)
        }
        for entry in list("resources") + list("bases") + list("components") {
            if case .string(let path) = entry { included.insert(Self.standard("\(folder)/\(path)")) }
        }
    }

    private mutating func describeRenderings() {
        for chart in templatedCharts.sorted() { survey.renderings.append("helm template \(chart)") }
        for folder in kustomizations.sorted()
        where patchingKustomizations.contains(folder) && !included.contains(Self.standard(folder)) {
            survey.renderings.append("kubectl kustomize \(folder)")
        }
    }

    /// The chart among whose templates a file lies.
    private func chart(of file: String) -> String? {
        var folder = Self.folder(file)
        while true {
            if charts.contains(folder) { return folder }
            let above = Self.folder(folder)
            guard above != folder, folder != "." else { return nil }
            folder = above
        }
    }

    // MARK: Names and texts

    private static func name(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    private static func folder(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func standard(_ path: String) -> String {
        URL(filePath: path).standardizedFileURL.path()
    }

    private static func isKustomization(_ path: String) -> Bool {
        ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(name(path))
    }

    private static func hasTemplateBraces(_ octets: [UInt8]) -> Bool {
        octets.indices.dropLast().contains { octets[$0] == UInt8(ascii: "{") && octets[$0 + 1] == UInt8(ascii: "{") }
    }

    /// Whether some line begins with `kind:`.
    private static func looksLikeManifest(_ octets: [UInt8]) -> Bool {
        octets.split(separator: 0x0A).contains { $0.starts(with: "kind:".utf8) || $0.starts(with: "  \"kind\":".utf8) }
    }
}

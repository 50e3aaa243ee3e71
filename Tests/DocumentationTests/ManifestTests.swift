// Wingmirror · Apache-2.0

import Foundation
import Testing

/// What a target imports is what `Package.swift` says that it depends on.
///
/// A build that lacks a dependency succeeds or fails by the order in which modules happen to be compiled.
@Suite(.timeLimit(.minutes(20)))
struct ManifestTests {
    /// Modules without an entry: they come with the toolchain, or within the product of another name.
    private static let others: Set = [
        "CDispatch", "Dispatch", "Foundation", "FoundationEssentials", "Glibc", "Synchronization", "Testing",
    ]

    private struct Target {
        let name: String
        let folder: String
        let dependencies: Set<String>

        /// Reads an entry of the manifest, up to the next one.
        init(_ entry: Substring) {
            let words = entry.matches(of: /"([^"]+)"/).map { String($0.1) }
            name = words.first ?? ""
            folder = (entry.hasPrefix(".testTarget") ? "Tests/" : "Sources/") + name
            // Products have no brackets of their own.
            let start = entry.firstRange(of: "dependencies: [")?.upperBound ?? entry.endIndex
            let list = entry[start...].prefix { $0 != "]" }
            let packages = /, package: "[^"]+"/
            dependencies = Set(list.replacing(packages, with: "").matches(of: /"([^"]+)"/).map { String($0.1) })
        }
    }

    private static func targets() throws -> [Target] {
        let manifest = try Repository.text(of: "Package.swift")
        let starts = manifest.ranges(of: /\.(target|testTarget|executableTarget)\(\s*name:/).map(\.lowerBound)
        return zip(starts, starts.dropFirst() + [manifest.endIndex]).map { Target(manifest[$0..<$1]) }
    }

    /// The modules that the files of a folder import.
    private static func imports(in folder: String) throws -> Set<String> {
        let words: Set = ["public", "package", "internal", "@testable", "struct", "enum", "class", "func"]
        let files = FileManager.default.enumerator(atPath: Repository.root.appending(path: folder).path)
        var modules: Set<String> = []
        for case let file as String in files?.allObjects ?? [] where file.hasSuffix(".swift") {
            for line in try Repository.text(of: "\(folder)/\(file)").split(separator: "\n") {
                let parts = line.split(separator: " ").filter { !words.contains(String($0)) }
                if parts.count == 2, parts[0] == "import" { modules.insert(parts[1].prefix { $0 != "." }.description) }
            }
        }
        return modules
    }

    @Test func `a target depends on what it imports and on nothing else`() throws {
        let targets = try Self.targets()
        #expect(targets.count > 50)
        for target in targets {
            let imports = try Self.imports(in: target.folder)
            // A target in C imports nothing that could be read here.
            guard !imports.isEmpty else { continue }
            let missing = imports.subtracting(target.dependencies).subtracting(Self.others)
            #expect(missing.isEmpty, "\(target.name) imports what it does not depend on")
            #expect(target.dependencies.isSubset(of: imports), "\(target.name) depends on what it does not import")
        }
    }
}

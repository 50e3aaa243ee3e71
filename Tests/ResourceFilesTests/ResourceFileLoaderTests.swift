// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import ResourceFiles
import RouteAttribution
import TestSupport
import Testing

@Suite struct ResourceFileLoaderTests {
    /// A folder that is gone when the test is.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "wingmirror-\(UUID().uuidString)").path()

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }

        func write(_ name: String, _ text: String) throws {
            let url = URL(filePath: "\(path)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: url)
        }

        func link(_ name: String, to destination: String) throws {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/\(name)", withDestinationPath: destination)
        }
    }

    private func kinds(_ paths: [String]) throws -> [JSONValue] {
        try ResourceFileLoader().survey(paths).objects.map { $0.value["kind"] ?? .null }
    }

    @Test func `a folder gives its files in the order of their names, and those of folders below`() throws {
        let folder = try Folder()
        try folder.write("b.yaml", "kind: B1\n---\nkind: B2\n")
        try folder.write("a.json", #"{"kind": "A"}"#)
        try folder.write("sub/c.yml", "kind: C\n")
        try folder.write("notes.txt", "kind: [")
        try folder.write(".hidden.yaml", "kind: [")
        #expect(try kinds([folder.path]) == [.string("A"), .string("B1"), .string("B2"), .string("C")])
    }

    @Test func `a mounted ConfigMap is read through its links, once`() throws {
        let folder = try Folder()
        try folder.write("..2026_01_01/routes.yaml", "kind: V\n")
        try folder.link("..data", to: "..2026_01_01")
        try folder.link("routes.yaml", to: "..data/routes.yaml")
        #expect(try kinds([folder.path]) == [.string("V")])
    }

    @Test func `a link back to its own folder adds nothing`() throws {
        let folder = try Folder()
        try folder.write("sub/a.yaml", "kind: A\n")
        try folder.link("sub/loop", to: "..")
        #expect(try kinds([folder.path]) == [.string("A")])
    }

    @Test func `every file that is wrong is named with its line`() throws {
        let folder = try Folder()
        try folder.write("a.yaml", "kind: A\n")
        try folder.write("b.yaml", "kind: A\nkind: B\n")
        try folder.write("c.json", "{\n  \"kind\": \"C\" ]\n}")
        let survey = try ResourceFileLoader().survey([folder.path])
        #expect(survey.objects.map { $0.value["kind"] } == ["A"])
        #expect(survey.unreadable.map(\.file) == ["b.yaml", "c.json"].map { "\(folder.path)/\($0)" })
        #expect(survey.unreadable.map(\.line) == [1, 2])
    }

    @Test func `nothing is read where one path is not there`() throws {
        let folder = try Folder()
        try folder.write("a.yaml", "kind: A\n")
        let error = #expect(throws: ResourceFileError.self) {
            try ResourceFileLoader().survey([folder.path, folder.path + "/none"])
        }
        #expect(error?.problems == ["\(folder.path)/none: no such file or folder"])
    }

    @Test func `a relative path that is not there says where it was looked for`() {
        let error = #expect(throws: ResourceFileError.self) { try ResourceFileLoader().survey(["nowhere/routes"]) }
        let folder = FileManager.default.currentDirectoryPath
        let sentence = "no such file or folder (the path is relative to \(folder), where this was started)"
        #expect(error?.problems == ["nowhere/routes: \(sentence)"])
    }

    @Test(arguments: [
        ("kind: A\nspec:\n\ta: b\n", 3, "a tab; YAML indents with spaces"),
        ("kind: A\nspec:\n  a: b\n \tc: d\n", 4, "a tab; YAML indents with spaces"),
        ("kind: A\nspec: @b\n", 2, "found character that cannot start any token"),
    ])
    func `a tab is called by its name`(text: String, line: Int, problem: String) {
        #expect(throws: DocumentError(line: line, message: "not valid YAML: \(problem)")) {
            try YAMLDocuments.parse(text)
        }
    }

    @Test func `a file that is not UTF-8 is a mistake`() throws {
        let folder = try Folder()
        let file = "\(folder.path)/a.yaml"
        try Data([0x61, 0x3A, 0x20, 0xC3, 0x28]).write(to: URL(filePath: file))
        let survey = try ResourceFileLoader().survey([file])
        #expect(survey.objects.isEmpty)
        #expect(survey.unreadable.map(\.message) == ["the text is not UTF-8"])
    }

    @Test func `a file that is too large is refused`() throws {
        let folder = try Folder()
        try folder.write("a.yaml", "kind: Something\n")
        var loader = ResourceFileLoader()
        loader.limits.fileBytes = 8
        let survey = try loader.survey([folder.path])
        #expect(survey.objects.isEmpty)
        #expect(survey.unreadable.map(\.message) == ["larger than 8 bytes"])
    }

    @Test(.timeLimit(.minutes(20)))
    func `a pipe is read like a file, and is the same before and after`() throws {
        let folder = try Folder()
        let script = "mkfifo p && { printf 'kind: A\\n---\\nkind: B\\n' > p & }"
        #expect(try ExternalProgram("sh", ["-c", script]).blockingRun(in: URL(filePath: folder.path)).status == 0)
        let pipe = "\(folder.path)/p"
        let loader = ResourceFileLoader()
        let before = loader.stamps(of: [pipe])
        #expect(try kinds([pipe]) == [.string("A"), .string("B")])
        #expect(loader.stamps(of: [pipe]) == before)
        #expect(ResourceFileLoader.isReadOnce(pipe) && ResourceFileLoader.isReadOnce("-"))
        #expect(!ResourceFileLoader.isReadOnce(folder.path))
    }

    @Test(.timeLimit(.minutes(20)))
    func `a pipe in a folder is passed over, since nothing may ever write to it`() throws {
        let folder = try Folder()
        try folder.write("a.yaml", "kind: A\n")
        #expect(ExternalProgram("mkfifo").succeeds(["\(folder.path)/b.yaml"]))
        #expect(try kinds([folder.path]) == [.string("A")])
    }

    @Test func `lists are taken apart, entries without a kind being of the list's`() throws {
        let text = """
            apiVersion: networking.istio.io/v1
            kind: VirtualServiceList
            items:
              - metadata: {name: a}
                spec: {hosts: [x.com], gateways: [gw], http: [{route: [{destination: {host: '*'}}]}]}
            """
        let resources = RouteResources(decoding: try YAMLDocuments.parse(text).map(\.value))
        let findings = RouteTable.compile(resources, environment: RouteEnvironment()).findings
        #expect(findings.map(\.object.description) == ["VirtualService default/a"])
    }
}

using System.Text.RegularExpressions;

namespace Distill.Teacher.Tests.Torch;

/// <summary>
/// Logits, [rows, vocab], must not come to the host on the way to a token. Where a meta tensor cannot show it (TokenKernelTests), the
/// sources do: one file alone reads values back, and sessions give it tables, or logits for callers that ask for logits.
/// </summary>
public sealed partial class HostCopyTests
{
    private static readonly string s_project = Path.Combine(RepositoryFolder.Root, "teacher", "Distill.Generation.Torch");

    [Fact]
    public void One_file_alone_reads_values_back()
    {
        Sources().Where(source => Reading().IsMatch(File.ReadAllText(source))).Select(source => Path.GetFileName(source))
            .ShouldBe(["HostTable.cs"]);
    }

    [Fact]
    public void Only_the_members_that_give_logits_copy_logits()
    {
        string[] calls = [.. Sources().Where(source => Path.GetFileName(source) != "HostTable.cs").SelectMany(File.ReadLines)
            .Where(line => line.Contains("HostTable.Copy(", StringComparison.Ordinal))];
        calls.Length.ShouldBe(5); // prompt, every position of a prompt, step; rows under a constraint: the first token, the next
        Sources().Sum(source => Regex.Count(File.ReadAllText(source), @"new HostTable\((?!TokenKernels\.(Choose|Score)\()")).ShouldBe(0);
    }

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(s_project, "*.cs", SearchOption.AllDirectories)
        .Where(source => !Path.GetRelativePath(s_project, source).Split('/', '\\').Any(part => part is "bin" or "obj"));

    // What TorchSharp offers to read a value or to decide by it.
    [GeneratedRegex(
        @"\.cpu\(|\.item<|\.data<|\.bytes\b|\.To(Single|Double|Int32|Int64|Boolean)\(\)|TensorAccessor|\.tolist\(|storage<|\.to\(CPU")]
    private static partial Regex Reading();
}

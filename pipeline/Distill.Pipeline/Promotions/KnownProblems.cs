using System.Text;
using Distill.Data.Problems;
using Distill.Data.Storage;

namespace Distill.Pipeline.Promotions;

/// <summary>Problems that a promoted model was trained on, each by a digest of its text: a problem keeps it from night to night, whatever
/// file it is read from.</summary>
internal static class KnownProblems
{
    private const int Length = 32; // 128 bits: no two problems share them by chance

    public static string DigestOf(Problem problem) => FileDigest.Of(Encoding.UTF8.GetBytes(problem.Text))[..Length];

    public static void Write(string path, IEnumerable<string> digests) =>
        ReplacedFile.Write(path, stream =>
        {
            using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true) { NewLine = "\n" };
            foreach (string digest in digests.Distinct().Order(StringComparer.Ordinal)) writer.WriteLine(digest);
        });

    public static IReadOnlySet<string> Read(string path) => File.ReadLines(path).ToHashSet(StringComparer.Ordinal);
}

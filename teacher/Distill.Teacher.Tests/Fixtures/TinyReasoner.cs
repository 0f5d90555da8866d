using System.Security.Cryptography;
using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>
/// The committed teacher: trained, small, and it thinks before it answers. Opened, copied, or laid out as huggingface_hub would keep it in
/// its cache.
/// </summary>
internal static class TinyReasoner
{
    public const string Question = "What is (3 + 4) * 2?";

    public static string Folder { get; } = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    public static ChatEncoder Encoder { get; } = ChatEncoder.Load(Folder);

    public static Tokenizer Tokenizer => Encoder.Tokenizer;

    public static OnnxTokenModel Open() =>
        OnnxTokenModel.Load(Folder, new OnnxModelOptions { IntraOpThreads = 1, AllowSpinning = false });

    public static object[] Messages(string text = Question) => [new { role = "user", content = text }];

    /// <returns>The folder given, with every file of the model.</returns>
    public static string Copy(string folder)
    {
        foreach (string relative in Files(Folder))
        {
            string target = Path.Combine(folder, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(Path.Combine(Folder, relative), target);
        }

        return folder;
    }

    /// <summary>Blobs named by digest, and a snapshot of relative links to them.</summary>
    /// <returns>The snapshot.</returns>
    public static string Link(string model, string cache)
    {
        string repository = Path.Combine(cache, "models--someone--tiny-reasoner"),
            snapshot = Path.Combine(repository, "snapshots", new string('7', 40));
        Directory.CreateDirectory(Path.Combine(repository, "blobs"));
        foreach (string relative in Files(model))
        {
            string link = Path.Combine(snapshot, relative);
            string blob = Path.Combine(
                repository, "blobs", Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(model, relative)))));
            File.Copy(Path.Combine(model, relative), blob, overwrite: true);
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, Path.GetRelativePath(Path.GetDirectoryName(link)!, blob));
        }

        return snapshot;
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path));
}

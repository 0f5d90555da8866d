using Distill.Generation.Onnx;
using Distill.Tokenization;

namespace Distill.Teacher.Tests.Serving;

/// <summary>The committed teacher: trained, small, and it thinks before it answers.</summary>
internal static class TinyReasoner
{
    public const string Question = "What is (3 + 4) * 2?";

    private static readonly string s_folder = Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner");

    public static ChatEncoder Encoder { get; } = ChatEncoder.Load(s_folder);

    public static Tokenizer Tokenizer => Encoder.Tokenizer;

    public static OnnxTokenModel Open() =>
        OnnxTokenModel.Load(s_folder, new OnnxModelOptions { IntraOpThreads = 1, AllowSpinning = false });

    public static object[] Messages(string text = Question) => [new { role = "user", content = text }];
}

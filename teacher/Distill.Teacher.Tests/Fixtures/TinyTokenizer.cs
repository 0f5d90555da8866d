using Distill.Tokenization;
using Distill.Tokenization.Training;

namespace Distill.Teacher.Tests.Fixtures;

/// <summary>A byte-level tokenizer without merges, with this project's control tokens and chat template: one token per character.</summary>
internal static class TinyTokenizer
{
    public static ChatEncoder Encoder { get; } = Make();

    public static Tokenizer Tokenizer => Encoder.Tokenizer;

    public static int Open { get; } = Tokenizer.IdOf(ThinkMarks.Open)!.Value;

    public static int Close { get; } = Tokenizer.IdOf(ThinkMarks.Close)!.Value;

    /// <summary>Tokens of a reply written with its marks.</summary>
    public static int[] Tokens(string reply) => Tokenizer.Encode(reply, allowSpecial: true);

    private static ChatEncoder Make()
    {
        using var folder = new TemporaryFolder();
        BytePairTrainer.Train([], new BytePairTrainerOptions { VocabularySize = 263 }).Save(folder.Path);
        return ChatEncoder.Load(folder.Path);
    }
}

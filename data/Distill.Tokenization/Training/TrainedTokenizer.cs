using System.Text;

namespace Distill.Tokenization.Training;

/// <summary>What training made, ready to be written and used. Immutable.</summary>
public sealed class TrainedTokenizer
{
    private readonly BytePairTrainerOptions _options;

    internal TrainedTokenizer(IReadOnlyList<string> pieces, IReadOnlyList<(string Left, string Right)> merges,
        BytePairTrainerOptions options)
    {
        _options = options;
        VocabularySize = pieces.Count;
        TokenizerJson = TokenizerFileWriter.Tokenizer(pieces, merges, options);
        ConfigJson = TokenizerFileWriter.Config(options);
    }

    /// <summary>Entries; at most what was asked for.</summary>
    public int VocabularySize { get; }

    /// <summary>Content of tokenizer.json.</summary>
    public string TokenizerJson { get; }

    /// <summary>Content of tokenizer_config.json.</summary>
    public string ConfigJson { get; }

    /// <summary>Writes tokenizer.json, tokenizer_config.json and chat_template.jinja into a folder that exists.</summary>
    public void Save(string folder)
    {
        Write(folder, "tokenizer.json", TokenizerJson);
        Write(folder, "tokenizer_config.json", ConfigJson);
        Write(folder, "chat_template.jinja", _options.ChatTemplate);
    }

    private static void Write(string folder, string name, string content) =>
        File.WriteAllBytes(Path.Combine(folder, name), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false).GetBytes(content));
}

using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Gguf;
using Distill.Export.Tests.Support;
using Distill.Tokenization;
using Distill.Tokenization.Splitting;
using LLama.Native;

namespace Distill.Export.Tests.Gguf;

/// <summary>Tokenizers in llama.cpp: the ids of ours for hundreds of texts, or a refusal that says why.</summary>
public sealed class GgufTokenizerTests
{
    private const int Texts = 600;

    private static readonly UnicodeNormalizer s_composed = new(UnicodeForm.Nfc);

    // By the tokenizer's folder: the pre-tokenizer's name, or a part of the reason. What is not listed is refused for some reason.
    private static readonly Dictionary<string, string> s_named = new()
    {
        ["smollm2"] = "smollm", ["qwen3"] = "qwen2", ["mistral"] = "llama", ["digits-individual"] = "smollm",
        ["ignore-merges"] = "llama-bpe", ["merges-pairs"] = "gpt-2", ["merges-strings"] = "gpt-2", ["norm-nfc"] = "gpt-2",
        ["split-cl100k"] = "smaug-bpe", ["template-bos-eos"] = "gpt-2", ["added-tokens-overlap"] = "gpt-2",
    };

    private static readonly Dictionary<string, string> s_refused = new()
    {
        ["bytelevel-prefix-space"] = "add_prefix_space", ["digits-grouped"] = "no name", ["norm-nfkc-lowercase"] = "normalises",
        ["split-removed"] = "no name", ["metaspace-always"] = "puts marks", ["llama-like"] = "no merge of this tokenizer joins them",
        ["added-token-flags"] = "looked up in a way of its own", ["merges-with-spaces"] = "no name", ["unk-fused"] = "no name",
    };

    public static TheoryData<string> Tokenizers => FixtureFolder.Rows([.. Names("tokenizers"), .. Names("tokenizers/small")]);

    [Theory, MemberData(nameof(Tokenizers))]
    public void Ids_are_those_of_the_tokenizer(string name)
    {
        string folder = Locate(name);
        if (!TryLoad(folder, out var tokenizer)) return; // not supported by the project at all; its own tests say so
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "words.gguf");
        if (!s_named.TryGetValue(name, out string? pre))
        {
            string message = Should.Throw<InvalidDataException>(() => Write(path, folder, tokenizer)).Message;
            if (s_refused.TryGetValue(name, out string? reason)) message.ShouldContain(reason);
            return;
        }

        var notes = Write(path, folder, tokenizer);
        var metadata = GgufFile.Open(path).Metadata;
        metadata.GetValueOrDefault("tokenizer.ggml.pre", metadata["tokenizer.ggml.model"]).ShouldBe(pre);
        using var llama = LlamaModel.Load(path, words: true);
        var texts = TextsOf(folder).Where(text => !IsNoted(text, notes)).Take(Texts).ToList();
        texts.Count.ShouldBeGreaterThan(150);
        string[] wrong = [.. texts.Where(text => !llama.Encode(text).SequenceEqual(tokenizer.Encode(text, allowSpecial: true)))
            .Select(text => $"{text}: {string.Join(' ', llama.Encode(text))} instead of {string.Join(' ', tokenizer.Encode(text, true))}")];
        if (notes.Any(note => note.Contains("overlap", StringComparison.Ordinal))) wrong.Length.ShouldBeInRange(1, 10);
        else wrong.ShouldBeEmpty($"{wrong.Length} of {texts.Count} texts differ");
        foreach (string text in texts.Take(20)) llama.Encode(text, whole: true).ShouldBe(tokenizer.EncodeWhole(text, allowSpecial: true));
    }

    [Fact]
    public void Tokenizers_that_this_project_makes_have_a_name()
    {
        string folder = Path.Combine(RepositoryFolder.Root, "student", "models", "tiny-base");
        var checkpoint = Checkpoint.Open(folder);
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "words.gguf");
        var metadata = new GgufMetadata();
        GgufArchitecture.Describe(metadata, checkpoint.Architecture);
        GgufTokenizer.Describe(metadata, checkpoint.Tokenizer!, checkpoint.Architecture).ShouldBeEmpty();
        WriteWords(path, metadata);
        using var llama = LlamaModel.Load(path, words: true);
        var own = Tokenizer.Load(folder);
        foreach (string text in (string[])["<|user|>What is 37 + 5?<|end|>", "a  b\n\n\tc <think> 12345</think> déjà vu 🙂 don't", ""])
            llama.Encode(text).ShouldBe(own.Encode(text, allowSpecial: true));
        llama.KindOf(0).ShouldBe(LLamaTokenAttr.Control);
        llama.KindOf(5).ShouldBe(LLamaTokenAttr.UserDefined); // <think>: found in text always
        llama.KindOf(100).ShouldBe(LLamaTokenAttr.Normal);
        llama.Ends(1).ShouldBeTrue();
        llama.Ends(2).ShouldBeFalse();
        llama.Vocabulary.ShouldAddBOS.ShouldBeFalse();
        ((int)llama.Vocabulary.EOS!).ShouldBe(1);
        llama.Handle.GetTemplate().ShouldBe(ChatTemplate.Load(folder).Source);
    }

    [Fact]
    public void Bytes_unknown_and_unused_tokens_are_told_apart()
    {
        var (tokenizer, files) = Read(FixtureFolder.Require("tokenizers", "mistral"));
        var metadata = new GgufMetadata();
        var a = ArchitectureOf(tokenizer) with { VocabularySize = tokenizer.VocabularySize + 3 };
        GgufArchitecture.Describe(metadata, a);
        GgufTokenizer.Describe(metadata, files, a);
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "words.gguf");
        WriteWords(path, metadata);
        using var llama = LlamaModel.Load(path, words: true);
        llama.KindOf(0).ShouldBe(LLamaTokenAttr.Unknown);
        llama.KindOf(1).ShouldBe(LLamaTokenAttr.Control);
        llama.KindOf(tokenizer.IdOf("<0x0A>")!.Value).ShouldBe(LLamaTokenAttr.Byte);
        llama.KindOf(tokenizer.IdOf("▁the")!.Value).ShouldBe(LLamaTokenAttr.Normal);
        llama.KindOf(tokenizer.VocabularySize + 2).ShouldBe(LLamaTokenAttr.Unused);
        llama.Vocabulary.ShouldAddBOS.ShouldBeTrue();
    }

    [Fact]
    public void Every_end_token_ends_a_reply()
    {
        var (tokenizer, files) = Read(FixtureFolder.Require("tokenizers", "smollm2"));
        using var place = new TemporaryFolder();
        string path = Path.Combine(place.Path, "words.gguf");
        int[] ends = [2, 0, 5, 7, 1]; // <|im_end|>, <|endoftext|>, <file_sep>, <gh_stars>, <|im_start|>
        foreach (int count in (int[])[1, 2, 3, 4])
        {
            Write(path, files, ArchitectureOf(tokenizer) with { EndTokenIds = new(ends[..count]) });
            using var llama = LlamaModel.Load(path, words: true);
            foreach (int id in ends[..count]) llama.Ends(id).ShouldBeTrue($"{id} of {count}");
            ((int)llama.Vocabulary.EOS!).ShouldBe(2);
        }

        var many = ArchitectureOf(tokenizer) with { EndTokenIds = new(ends) };
        Should.Throw<InvalidDataException>(() => Write(path, files, many)).Message.ShouldContain("<|im_start|>");
    }

    private static string[] Names(string area) => [.. FixtureFolder.Cases(area).Select(folder => Path.GetFileName(folder)!)
        .Where(name => name != "small")];

    private static string Locate(string name) =>
        Directory.Exists(FixtureFolder.Places("tokenizers", "small", name).FirstOrDefault(Directory.Exists))
            ? FixtureFolder.Require("tokenizers", "small", name)
            : FixtureFolder.Require("tokenizers", name);

    private static bool TryLoad(string folder, out Tokenizer tokenizer)
    {
        try
        {
            tokenizer = Tokenizer.Load(folder);
            return true;
        }
        catch (InvalidDataException)
        {
            tokenizer = null!;
            return false;
        }
    }

    // Texts of which the export says that llama.cpp reads them otherwise.
    private static bool IsNoted(string text, IReadOnlyList<string> notes) =>
        (notes.Any(note => note.Contains("NFC", StringComparison.Ordinal)) && s_composed.Normalize(text) != text)
        || (text.Contains("</s>", StringComparison.Ordinal) && notes.Any(note => note.Contains("'</s>'", StringComparison.Ordinal)));

    private static (Tokenizer Tokenizer, TokenizerFiles Files) Read(string folder) => (Tokenizer.Load(folder), TokenizerFiles.Read(folder));

    private static List<string> TextsOf(string folder) =>
    [
        .. File.ReadLines(Path.Combine(folder, "encodings.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!),
    ];

    private static DecoderArchitecture ArchitectureOf(Tokenizer tokenizer) => TinyModels.Qwen3 with
    {
        VocabularySize = tokenizer.VocabularySize, EosTokenId = tokenizer.EndToken ?? 1,
    };

    private static IReadOnlyList<string> Write(string path, string folder, Tokenizer tokenizer) =>
        Write(path, TokenizerFiles.Read(folder), ArchitectureOf(tokenizer));

    private static IReadOnlyList<string> Write(string path, TokenizerFiles files, DecoderArchitecture a)
    {
        var metadata = new GgufMetadata();
        GgufArchitecture.Describe(metadata, a);
        var notes = GgufTokenizer.Describe(metadata, files, a);
        WriteWords(path, metadata);
        return notes;
    }

    // A file without tensors, for llama.cpp to read the tokenizer from.
    private static void WriteWords(string path, GgufMetadata metadata)
    {
        metadata.Add("general.architecture", "qwen3");
        using var stream = File.Create(path);
        new GgufWriter(metadata, []).Write(stream, null!);
    }
}

using System.Text.Json;
using Distill.Architecture;
using Distill.Export.Package;
using Distill.Export.Tests.Support;
using Distill.Tokenization;

namespace Distill.Export.Tests.Package;

/// <summary>How a model was spoken to in training travels with the exported folder.</summary>
public sealed class PromptStyleTests
{
    private const string Message = "You are a 'careful' solver.\nThink first. ``` {{ x }}";
    private static readonly TokenizerFiles Files = Spoken();
    private static readonly DecoderArchitecture A = TinyModels.Qwen3 with { VocabularySize = 600 };
    private static readonly PromptStyle Style = new()
    {
        System = Message,
        TemplateOptions = new Dictionary<string, JsonElement>
        {
            ["zeal"] = JsonSerializer.SerializeToElement(3),
            ["enable_thinking"] = JsonSerializer.SerializeToElement(false),
        },
    };

    [Fact]
    public void It_is_read_back_as_it_was_written()
    {
        using var folder = Written(Style);
        var read = PackageProvenance.PromptOf(folder.Path);
        read.System.ShouldBe(Message);
        read.TemplateOptions.ToDictionary(option => option.Key, option => option.Value.GetRawText())
            .ShouldBe(new Dictionary<string, string> { ["enable_thinking"] = "false", ["zeal"] = "3" });
        ChatMessage[] chat = [ChatMessage.User("2 + 2?")];
        ChatEncoder.Load(folder.Path).With(read).EncodePrompt(chat).ShouldBe(ChatEncoder.Load(folder.Path).With(Style).EncodePrompt(chat));
        PackageIntegrity.Check(folder.Path, full: true).ShouldBeEmpty();
    }

    [Fact]
    public void Examples_are_turns_before_the_question_and_travel_too()
    {
        var shown = Style with { Examples = [ChatMessage.User("1 + 1?"), ChatMessage.Assistant("2")] };
        using var folder = Written(shown);
        var read = PackageProvenance.PromptOf(folder.Path);
        read.Examples.ShouldBe(shown.Examples);
        var encoder = ChatEncoder.Load(folder.Path).With(read);
        string Prompt(params ChatMessage[] chat) => encoder.Tokenizer.Decode(encoder.EncodePrompt(chat));
        Prompt(ChatMessage.User("2 + 2?")).ShouldBe($"[system]{Message}[user]1 + 1?[assistant]2[user]2 + 2?[no thinking]");
        Prompt(ChatMessage.System("Mine."), ChatMessage.User("2 + 2?"))
            .ShouldBe("[system]Mine.[user]1 + 1?[assistant]2[user]2 + 2?[no thinking]");
        encoder = ChatEncoder.Load(folder.Path).With(new PromptStyle { Examples = shown.Examples });
        Prompt(ChatMessage.User("2 + 2?")).ShouldBe("[user]1 + 1?[assistant]2[user]2 + 2?");
    }

    [Fact]
    public void The_card_shows_the_message_the_options_and_one_prompt_as_the_model_read_it()
    {
        using var folder = Written(Style);
        string card = File.ReadAllText(folder.File("README.md"));
        card.ShouldContain("\n    You are a 'careful' solver.\n    Think first. ``` {{ x }}\n");
        card.ShouldContain("`enable_thinking: false`, `zeal: 3`");
        card.ShouldContain("    [system]You are a 'careful' solver.\n    Think first. ``` {{ x }}[user]What is 3 + 4?[no thinking]\n");
    }

    [Fact]
    public void A_model_that_was_spoken_to_plainly_says_nothing_of_it()
    {
        using var folder = Written(PromptStyle.Plain);
        File.ReadAllText(folder.File("README.md")).ShouldNotContain("spoken");
        File.ReadAllText(folder.File("distill.json")).ShouldNotContain("prompt");
        PackageProvenance.PromptOf(folder.Path).ShouldBe(PromptStyle.Plain);
    }

    [Fact]
    public void A_folder_without_a_description_is_spoken_to_plainly()
    {
        using var folder = new TemporaryFolder();
        PackageProvenance.PromptOf(folder.Path).ShouldBe(PromptStyle.Plain);
    }

    private static TemporaryFolder Written(PromptStyle style)
    {
        var folder = new TemporaryFolder();
        ModelPackage.Write(folder.Path, TinyModels.Weights(A), Files, new PackageDescription { Name = "tiny", Prompt = style });
        return folder;
    }

    // The committed teacher's tokenizer under a template that shows what it was given.
    private static TokenizerFiles Spoken()
    {
        var teacher = TokenizerFiles.Read(Path.Combine(RepositoryFolder.Root, "teacher", "models", "tiny-reasoner"));
        return teacher with
        {
            ChatTemplate = """
                {%- for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}
                {%- if enable_thinking is defined and not enable_thinking %}[no thinking]{% endif %}
                """u8.ToArray(),
        };
    }
}

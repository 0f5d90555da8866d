using System.Runtime.InteropServices;
using Distill.Storage;

namespace Distill.Data.Tests.Storage;

/// <summary>Variables as a native library reads them. Each test has names of its own: the environment is the process's.</summary>
public sealed partial class NativeEnvironmentTests
{
    [Fact]
    public void Native_code_sees_what_is_set()
    {
        NativeEnvironment.Set("DISTILL_TEST_SEEN", "ö 1");
        Environment.GetEnvironmentVariable("DISTILL_TEST_SEEN").ShouldBe("ö 1");
        Seen("DISTILL_TEST_SEEN").ShouldBe("ö 1");
    }

    [Theory]
    [InlineData("DISTILL_TEST_OWN")]
    [InlineData("DISTILL_TEST_OLD")]
    public void What_the_user_said_stays_under_any_of_its_names(string said)
    {
        NativeEnvironment.Set(said, "theirs");
        NativeEnvironment.SetUnlessSet($"{said}_NEW", "ours", said);
        Seen($"{said}_NEW").ShouldBeNull();
        NativeEnvironment.SetUnlessSet(said, "ours", "DISTILL_TEST_NEVER");
        Seen(said).ShouldBe("theirs");
        NativeEnvironment.SetUnlessSet($"{said}_NEW", "ours", "DISTILL_TEST_NEVER");
        Seen($"{said}_NEW").ShouldBe("ours");
    }

    private static string? Seen(string name) => OperatingSystem.IsWindows()
        ? Environment.GetEnvironmentVariable(name) : Marshal.PtrToStringUTF8(Read(name));

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Read(string name);
}

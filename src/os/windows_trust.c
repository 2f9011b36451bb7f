/* SPDX-License-Identifier: Apache-2.0 */
/* Who could have written a file, by its owner and its access list. */
#include "os/windows.h"

#include <aclapi.h>
#include <errno.h>
#include <sddl.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BASIS 0xCBF29CE484222325ULL
#define FNV_PRIME 0x100000001B3ULL

#define WRITES_FILE (FILE_WRITE_DATA | FILE_APPEND_DATA | WRITE_DAC | WRITE_OWNER | DELETE)
/* To make new names in a directory replaces nothing: that is what the sticky bit allows elsewhere. */
#define REPLACES_IN (FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | DELETE)

/* ---- Accounts ----------------------------------------------------------------------------- */

/* SIDs are of many sizes; this stands for one among those of a machine. */
static uint64_t
number_of(PSID sid)
{
    const unsigned char *bytes = (const unsigned char *)sid;
    uint64_t hash = FNV_BASIS;

    for (DWORD i = 0; i < GetLengthSid(sid); i++)
        hash = (hash ^ bytes[i]) * FNV_PRIME;
    return hash;
}

/* The user of a process's token; to be freed. */
static TOKEN_USER *
user_of(HANDLE process)
{
    TOKEN_USER *user = NULL;
    HANDLE token;
    DWORD size = 0;

    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return NULL;
    (void)GetTokenInformation(token, TokenUser, NULL, 0, &size);
    if (size > 0 && (user = malloc(size)) != NULL
        && !GetTokenInformation(token, TokenUser, user, size, &size)) {
        free(user);
        user = NULL;
    }
    CloseHandle(token);
    return user;
}

int
windows_process_user(HANDLE process, uint64_t *ret_user)
{
    TOKEN_USER *user = user_of(process);

    if (user == NULL)
        return -EACCES;
    *ret_user = number_of(user->User.Sid);
    free(user);
    return 0;
}

void
windows_process_owner(HANDLE process, char *buf, size_t size)
{
    TOKEN_USER *user = user_of(process);
    WCHAR name[256], domain[256];
    DWORD n = 256, m = 256;
    SID_NAME_USE use;

    buf[0] = '\0';
    if (user != NULL && LookupAccountSidW(NULL, user->User.Sid, name, &n, domain, &m, &use)
        && windows_narrow(name, buf, size) < 0)
        buf[0] = '\0';
    free(user);
}

static bool
is_trusted_installer(PSID sid)
{
    WCHAR *text;
    bool is = false;

    if (ConvertSidToStringSidW(sid, &text)) {
        is = wcscmp(text, L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464") == 0;
        LocalFree(text);
    }
    return is;
}

/* Who may do anything here anyway: the system, its administrators, and the asker. */
static bool
is_ours(PSID sid)
{
    TOKEN_USER *self;
    bool is;

    if (IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid)
        || IsWellKnownSid(sid, WinCreatorOwnerSid) || IsWellKnownSid(sid, WinCreatorOwnerRightsSid)
        || is_trusted_installer(sid))
        return true;
    self = user_of(GetCurrentProcess());
    is = self != NULL && EqualSid(sid, self->User.Sid);
    free(self);
    return is;
}

/* ---- The speaker -------------------------------------------------------------------------- */

/* Does the list let anybody write who is neither the owner nor one of ours? */
static bool
others_may(ACL *list, PSID owner, DWORD rights)
{
    if (list == NULL) /* no list: everybody may do everything */
        return true;
    for (DWORD i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        DWORD mask;
        PSID sid;

        if (!GetAce(list, i, (void **)&entry))
            return true;
        if (entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE
            || (entry->Header.AceFlags & INHERIT_ONLY_ACE))
            continue;
        sid = (PSID)&entry->SidStart;
        mask = entry->Mask;
        MapGenericMask(&mask, &(GENERIC_MAPPING){FILE_GENERIC_READ, FILE_GENERIC_WRITE,
                                                 FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS});
        if ((mask & rights) && !EqualSid(sid, owner) && !is_ours(sid))
            return true;
    }
    return false;
}

static void
lower(struct os_speaker *speaker, PSID owner)
{
    uint64_t user = number_of(owner);

    if (speaker->scope == OS_SPEAKS_FOR_USER && speaker->user != user)
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
    if (speaker->scope == OS_SPEAKS_FOR_ALL)
        *speaker = (struct os_speaker){OS_SPEAKS_FOR_USER, user};
}

void
windows_note_speaker(struct os_speaker *speaker, HANDLE object, enum windows_kind kind)
{
    DWORD rights = kind == WINDOWS_WAY ? REPLACES_IN : WRITES_FILE;
    SECURITY_DESCRIPTOR *security;
    PSID owner;
    ACL *list;

    if (GetSecurityInfo(object, SE_FILE_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &list,
                        NULL, (void **)&security)
        != ERROR_SUCCESS) {
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
        return;
    }
    if (owner == NULL || others_may(list, owner, rights))
        speaker->scope = OS_SPEAKS_FOR_NOBODY;
    else if (!is_ours(owner))
        lower(speaker, owner);
    LocalFree(security);
}

/* ---- What we make ------------------------------------------------------------------------- */

int
windows_security_new(enum windows_access access, SECURITY_ATTRIBUTES *ret)
{
    /* Protected: nothing comes from the directory above. Owner, SYSTEM, Administrators; then who
     * else may read: the users of this machine (BUILTIN\Users). */
    static const WCHAR *const lists[] = {
        [WINDOWS_READABLE] = L"D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
                             L"(A;OICI;FRFX;;;S-1-5-32-545)",
        [WINDOWS_PRIVATE] = L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)",
    };

    *ret = (SECURITY_ATTRIBUTES){.nLength = sizeof(*ret)};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(lists[access], SDDL_REVISION_1,
                                                              &ret->lpSecurityDescriptor, NULL))
        return windows_last_error();
    return 0;
}

void
windows_security_free(SECURITY_ATTRIBUTES *security)
{
    LocalFree(security->lpSecurityDescriptor);
}
